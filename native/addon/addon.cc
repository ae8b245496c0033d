// Registers the native contract, lib/torch/addon-types.ts, and does nothing else.
#include <napi.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "addon/ddpm_step.h"
#include "addon/device.h"
#include "addon/engine.h"
#include "addon/environment.h"
#include "addon/errors.h"
#include "addon/generator.h"
#include "addon/graphs.h"
#include "addon/mapped_file.h"
#include "addon/network.h"
#include "addon/script_module.h"
#include "addon/tensor.h"
#include "core/cpu_allocator.h"
#include "core/threads.h"
#include "ops/register.h"

using namespace karlo;

namespace {

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void add(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(exports.Env(), &guarded<function>, name));
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  install_cpu_allocator();
  ops::register_operators();
  // The profiling executor would recompile a graph for each new shape.
  torch::jit::getProfilingMode() = false;
  // Tensor operations on the JavaScript thread are too small for a team of threads to pay.
  set_threads_of_this_thread(1);
  env.SetInstanceData(new Environment);

  add<version>(exports, "version");
  add<cuda_driver>(exports, "cudaDriver");
  add<cuda_devices>(exports, "cudaDevices");
  add<cuda_kernels>(exports, "cudaKernels");
  add<mps_device>(exports, "mpsDevice");
  add<memory>(exports, "memory");
  add<trim_memory>(exports, "trimMemory");
  add<cuda_graphs_open>(exports, "cudaGraphsOpen");
  add<cuda_graphs_statistics>(exports, "cudaGraphsStatistics");

  add<process_exit>(exports, "processExit");
  add<engine_create>(exports, "engineCreate");
  add<engine_cancel>(exports, "engineCancel");
  add<engine_set_threads>(exports, "engineSetThreads");
  add<engine_dispose>(exports, "engineDispose");

  add<module_load>(exports, "moduleLoad");
  add<module_methods>(exports, "moduleMethods");
  add<module_attributes>(exports, "moduleAttributes");
  add<module_assign>(exports, "moduleAssign");
  add<module_run>(exports, "moduleRun");
  add<module_dispose>(exports, "moduleDispose");

  add<module_save>(exports, "moduleSave");
  add<module_freeze>(exports, "moduleFreeze");
  add<network_trace>(exports, "networkTrace");

  add<file_map>(exports, "fileMap");
  add<file_tensor>(exports, "fileTensor");
  add<file_dispose>(exports, "fileDispose");
  add<lost_files>(exports, "lostFiles");

  add<generator_create>(exports, "generatorCreate");
  add<generator_randn>(exports, "generatorRandn");
  add<generator_get_state>(exports, "generatorGetState");
  add<generator_set_state>(exports, "generatorSetState");
  add<generator_dispose>(exports, "generatorDispose");

  add<tensor_from>(exports, "tensorFrom");
  add<tensor_copy_to>(exports, "tensorCopyTo");
  add<tensor_info>(exports, "tensorInfo");
  add<tensor_dispose>(exports, "tensorDispose");
  add<tensor_is_disposed>(exports, "tensorIsDisposed");
  add<tensor_to>(exports, "tensorTo");
  add<tensor_convert>(exports, "tensorConvert");
  add<tensor_reshape>(exports, "tensorReshape");
  add<tensor_permute>(exports, "tensorPermute");
  add<tensor_slice>(exports, "tensorSlice");
  add<tensor_cat>(exports, "tensorCat");
  add<tensor_add>(exports, "tensorAdd");
  add<tensor_sub>(exports, "tensorSub");
  add<tensor_mul>(exports, "tensorMul");
  add<tensor_div>(exports, "tensorDiv");
  add<ddpm_step>(exports, "ddpmStep");
  add<tensor_exp>(exports, "tensorExp");
  add<tensor_log>(exports, "tensorLog");
  add<tensor_sqrt>(exports, "tensorSqrt");
  add<tensor_round>(exports, "tensorRound");
  add<tensor_clamp>(exports, "tensorClamp");
  add<tensor_resize_bicubic>(exports, "tensorResizeBicubic");
  return exports;
}

}  // namespace

NODE_API_MODULE(karlo, initialize)
