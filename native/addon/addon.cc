// Registers the native contract, lib/torch/addon-types.ts, and does nothing else.
#include <napi.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "addon/device.h"
#include "addon/engine.h"
#include "addon/environment.h"
#include "addon/errors.h"
#include "addon/generator.h"
#include "addon/mapped_file.h"
#include "addon/network.h"
#include "addon/script_module.h"
#include "addon/tensor.h"
#include "core/cpu_allocator.h"
#include "core/threads.h"
#include "nets/context_attention.h"
#include "nets/res_block.h"
#include "ops/linear/linear.h"

using namespace karlo;

namespace {

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void Register(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(exports.Env(), &Guarded<function>, name));
}

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  InstallCpuAllocator();
  // Graphs of converted folders have them.
  nets::register_linear();
  nets::register_res_block();
  nets::register_context_attention();
  // The profiling executor would compile a graph anew for each shape that it meets.
  torch::jit::getProfilingMode() = false;
  // Tensor operations on the JavaScript thread are small: a team of threads would cost more.
  SetThreadsOfThisThread(1);
  env.SetInstanceData(new Environment);

  Register<Version>(exports, "version");
  Register<CudaDriver>(exports, "cudaDriver");
  Register<CudaDevices>(exports, "cudaDevices");
  Register<Memory>(exports, "memory");
  Register<TrimMemory>(exports, "trimMemory");

  Register<ProcessExit>(exports, "processExit");
  Register<EngineCreate>(exports, "engineCreate");
  Register<EngineCancel>(exports, "engineCancel");
  Register<EngineSetThreads>(exports, "engineSetThreads");
  Register<EngineDispose>(exports, "engineDispose");

  Register<ModuleLoad>(exports, "moduleLoad");
  Register<ModuleMethods>(exports, "moduleMethods");
  Register<ModuleAttributes>(exports, "moduleAttributes");
  Register<ModuleAssign>(exports, "moduleAssign");
  Register<ModuleRun>(exports, "moduleRun");
  Register<ModuleDispose>(exports, "moduleDispose");

  Register<ModuleSave>(exports, "moduleSave");
  Register<ModuleFreeze>(exports, "moduleFreeze");
  Register<NetworkTrace>(exports, "networkTrace");

  Register<FileMap>(exports, "fileMap");
  Register<FileTensor>(exports, "fileTensor");
  Register<FileDispose>(exports, "fileDispose");

  Register<GeneratorCreate>(exports, "generatorCreate");
  Register<GeneratorRandn>(exports, "generatorRandn");
  Register<GeneratorGetState>(exports, "generatorGetState");
  Register<GeneratorSetState>(exports, "generatorSetState");
  Register<GeneratorDispose>(exports, "generatorDispose");

  Register<TensorFrom>(exports, "tensorFrom");
  Register<TensorCopyTo>(exports, "tensorCopyTo");
  Register<TensorInfo>(exports, "tensorInfo");
  Register<TensorDispose>(exports, "tensorDispose");
  Register<TensorIsDisposed>(exports, "tensorIsDisposed");
  Register<TensorTo>(exports, "tensorTo");
  Register<TensorConvert>(exports, "tensorConvert");
  Register<TensorReshape>(exports, "tensorReshape");
  Register<TensorPermute>(exports, "tensorPermute");
  Register<TensorSlice>(exports, "tensorSlice");
  Register<TensorCat>(exports, "tensorCat");
  Register<TensorAdd>(exports, "tensorAdd");
  Register<TensorSub>(exports, "tensorSub");
  Register<TensorMul>(exports, "tensorMul");
  Register<TensorExp>(exports, "tensorExp");
  Register<TensorRound>(exports, "tensorRound");
  Register<TensorClamp>(exports, "tensorClamp");
  Register<TensorResizeBicubic>(exports, "tensorResizeBicubic");
  return exports;
}

}  // namespace

NODE_API_MODULE(karlo, Initialise)
