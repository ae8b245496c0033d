#include "addon/script_module.h"

#include <caffe2/serialize/file_adapter.h>
#include <caffe2/serialize/istream_adapter.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <sstream>
#include <utility>

#include "addon/arguments.h"
#include "addon/engine.h"
#include "addon/tensor.h"
#include "addon/values.h"
#include "core/cuda.h"
#include "export/freeze.h"
#include "import/import.h"

namespace karlo {
namespace {

using torch::jit::Method;
using torch::jit::Module;
using Names = std::vector<std::string>;
using Attributes = std::vector<std::pair<std::string, at::Tensor>>;

struct Placement {
  c10::Device device;
  std::optional<c10::ScalarType> dtype;
};

// The source of a graph: a file, or bytes copied from JavaScript.
struct Source {
  std::string path;
  std::string bytes;
};

Source read_source(const Napi::Value& value) {
  if (value.IsString()) return {read_string(value, "source"), ""};
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw invalid_argument("path or Uint8Array", "source", value);
  }
  const auto array = value.As<Napi::Uint8Array>();
  if (array.ElementLength() == 0) {
    throw CodedError(kInvalidArgument, "Expected bytes for source but received an empty array");
  }
  return {"", std::string(reinterpret_cast<const char*>(array.Data()), array.ElementLength())};
}

Module load(const Source& source, const Placement& placement) {
  try {
    std::istringstream stream(source.bytes);
    std::shared_ptr<caffe2::serialize::ReadAdapterInterface> file;
    if (source.path.empty()) {
      file = std::make_shared<caffe2::serialize::IStreamAdapter>(&stream);
    } else {
      file = std::make_shared<caffe2::serialize::FileAdapter>(source.path);
    }
    return importing::import_module(std::move(file), placement.device);
  } catch (...) {
    // LibTorch throws different types for an invalid archive and for a graph that does not parse.
    const CodedError error = describe(std::current_exception());
    if (error.code() == kOutOfMemory) throw error;
    const std::string name = source.path.empty() ? "the bytes given" : source.path;
    throw CodedError(kModelCorrupt, "Expected a TorchScript module in " + name +
                                        " but LibTorch says: " + error.what());
  }
}

// Like Python's `module.to(dtype)`, which leaves integers unchanged. Module::to converts them too.
void convert_floats(const Module& module, c10::ScalarType dtype) {
  const auto convert = [dtype](at::Tensor tensor) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(dtype));
  };
  for (const at::Tensor& parameter : module.parameters()) convert(parameter);
  for (const at::Tensor& buffer : module.buffers()) convert(buffer);
}

std::shared_ptr<ScriptModule> unwrap_script_module(const Napi::Value& value) {
  return Handle<ScriptModule>::unwrap(value, "module");
}

std::shared_ptr<Module> unwrap_module(const Napi::Value& value) {
  auto module = unwrap_script_module(value);
  return {module, &module->module};
}

std::vector<std::string> method_names(const Module& module) {
  std::vector<std::string> names;
  for (const auto& method : module.get_methods()) names.push_back(method.name());
  return names;
}

Attributes tensor_attributes(const Module& module) {
  Attributes attributes;
  for (const auto& attribute : module.named_attributes(/*recurse=*/true)) {
    if (attribute.value.isTensor()) {
      attributes.emplace_back(attribute.name, attribute.value.toTensor());
    }
  }
  return attributes;
}

// The submodule that contains the attribute with a dotted name, and the attribute's name in it.
std::pair<Module, std::string> find_attribute(Module module, const std::string& name) {
  size_t start = 0;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', start)) {
    const std::string child = name.substr(start, dot - start);
    if (!module.hasattr(child) || !module.attr(child).isModule()) break;
    module = module.attr(child).toModule();
    start = dot + 1;
  }
  const std::string attribute = name.substr(start);
  if (!module.hasattr(attribute) || !module.attr(attribute).isTensor()) {
    throw CodedError(kInvalidArgument, "Expected the name of a tensor attribute but received '" +
                                           name + "', which this ScriptModule does not have");
  }
  return {module, attribute};
}

// All or nothing: every name is looked up before the first attribute changes.
void assign(const Module& module, const Attributes& attributes) {
  std::vector<std::pair<Module, std::string>> slots;
  for (const auto& attribute : attributes) slots.push_back(find_attribute(module, attribute.first));
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i].first.setattr(slots[i].second, attributes[i].second);
  }
}

Attributes read_attributes(const Napi::Value& value) {
  if (!value.IsObject() || value.IsArray()) {
    throw invalid_argument("object of tensors by attribute name", "attributes", value);
  }
  const auto object = value.As<Napi::Object>();
  const auto names = object.GetPropertyNames();
  Attributes attributes;
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = Napi::Value(names.Get(i)).ToString().Utf8Value();
    attributes.emplace_back(name, unwrap_tensor(object.Get(name), ("attributes." + name).c_str()));
  }
  return attributes;
}

// The methods to record as CUDA graphs.
std::set<std::string> read_recorded(const Module& module, const Napi::Value& value) {
  const auto names = read_optional(value, "recorded", read_strings).value_or(Names());
  for (const auto& name : names) {
    const auto method = module.find_method(name);
    if (!method || method->function().getSchema().returns().size() != 1 ||
        method->function().getSchema().returns()[0].type()->kind() != c10::TypeKind::TensorType) {
      throw invalid_argument("names of methods that return a tensor", "recorded", value);
    }
  }
  return {names.begin(), names.end()};
}

using Inputs = std::vector<c10::IValue>;

c10::IValue call(Method method, Inputs inputs) {
  // LibTorch's passes compare all weights of the same shape, which a frozen graph does not need.
  const torch::jit::GraphOptimizerEnabledGuard no_optimization(false);
  return method(std::move(inputs));
}

// The inputs if a CUDA graph can have them: tensors on one CUDA device.
std::optional<std::vector<at::Tensor>> cuda_tensors(const Inputs& inputs) {
  std::vector<at::Tensor> tensors;
  for (const auto& input : inputs) {
    if (!input.isTensor() || !input.toTensor().is_cuda()) return std::nullopt;
    if (!tensors.empty() && input.toTensor().device() != tensors[0].device()) return std::nullopt;
    tensors.push_back(input.toTensor());
  }
  if (tensors.empty()) return std::nullopt;
  return tensors;
}

c10::IValue call_or_replay(ScriptModule& module, const Method& method, const Inputs& inputs) {
  if (!module.graphs.records(method.name())) return call(method, inputs);
  const auto tensors = cuda_tensors(inputs);
  if (!tensors) return call(method, inputs);
  return module.graphs.run(method.name(), *tensors, [method](const std::vector<at::Tensor>& own) {
    return call(method, {own.begin(), own.end()}).toTensor();
  });
}

// CUDA graphs keep the memory of their temporary tensors. If a call needs it, they are freed.
c10::IValue run(ScriptModule& module, const Method& method, const Inputs& inputs) {
  try {
    return call_or_replay(module, method, inputs);
  } catch (...) {
    const CodedError error = describe(std::current_exception());
    if (error.code() != kOutOfMemory || !cuda_graphs::release_all(error.what())) throw;
  }
  trim_cuda_memory();
  return call(method, inputs);
}

}  // namespace

Napi::Value module_load(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  Source source = read_source(info[2]);
  const Placement placement{read_device(info[3], "device"),
                            read_optional(info[4], "dtype", read_dtype)};
  return engine->submit(
      info.Env(), id, [source = std::move(source), placement]() -> Engine::Resolve {
        auto module = std::make_shared<ScriptModule>(load(source, placement));
        if (placement.dtype) convert_floats(module->module, *placement.dtype);
        module->module.eval();
        return [module](Napi::Env env) { return Handle<ScriptModule>::wrap(env, module); };
      });
}

Napi::Value module_methods(const Napi::CallbackInfo& info) {
  auto names = Napi::Array::New(info.Env());
  for (const auto& name : method_names(*unwrap_module(info[0]))) names.Set(names.Length(), name);
  return names;
}

Napi::Value module_attributes(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto module = unwrap_module(info[2]);
  return engine->submit(info.Env(), id, [module]() -> Engine::Resolve {
    return [attributes = tensor_attributes(*module)](Napi::Env env) {
      auto object = Napi::Object::New(env);
      for (const auto& [name, tensor] : attributes) object.Set(name, wrap_tensor(env, tensor));
      return object;
    };
  });
}

Napi::Value module_assign(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto module = unwrap_module(info[2]);
  auto attributes = read_attributes(info[3]);
  return engine->submit(info.Env(), id,
                        [module, attributes = std::move(attributes)]() -> Engine::Resolve {
                          assign(*module, attributes);
                          return [](Napi::Env env) { return env.Undefined(); };
                        });
}

Napi::Value module_run(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto module = unwrap_script_module(info[2]);
  const std::string name = read_string(info[3], "method");
  const auto method = module->module.find_method(name);
  if (!method)
    throw invalid_argument("the name of a method of this ScriptModule", "method", info[3]);
  auto inputs = read_inputs(method->function().getSchema(), info[4]);
  return engine->submit(
      info.Env(), id, [module, method = *method, inputs = std::move(inputs)]() -> Engine::Resolve {
        return
            [result = run(*module, method, inputs)](Napi::Env env) { return to_js(env, result); };
      });
}

// Returns the bytes of the module's file.
Napi::Value module_save(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto module = unwrap_module(info[2]);
  return engine->submit(info.Env(), id, [module]() -> Engine::Resolve {
    std::ostringstream stream;
    module->save(stream);
    return [bytes = stream.str()](Napi::Env env) -> Napi::Value {
      return Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size());
    };
  });
}

// In a frozen module, the weights are constants of the graph, which shares their memory. The module
// is faster, and can no longer be moved or changed.
Napi::Value module_freeze(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto module = unwrap_module(info[2]);
  auto methods = read_optional(info[3], "methods", read_strings).value_or(method_names(*module));
  for (const auto& name : methods) {
    if (!module->find_method(name)) {
      throw invalid_argument("names of methods of this ScriptModule", "methods", info[3]);
    }
  }
  auto recorded = read_recorded(*module, info[4]);
  return engine->submit(info.Env(), id,
                        [module, methods = std::move(methods),
                         recorded = std::move(recorded)]() mutable -> Engine::Resolve {
                          auto frozen = std::make_shared<ScriptModule>(
                              exporting::freeze(*module, methods), std::move(recorded));
                          return [frozen](Napi::Env env) {
                            return Handle<ScriptModule>::wrap(env, frozen);
                          };
                        });
}

Napi::Value module_dispose(const Napi::CallbackInfo& info) {
  Handle<ScriptModule>::dispose(info[0], "module");
  return info.Env().Undefined();
}

}  // namespace karlo
