#include "addon/script_module.h"

#include <torch/csrc/jit/runtime/graph_executor.h>

#include <sstream>
#include <utility>

#include "addon/arguments.h"
#include "addon/engine.h"
#include "addon/tensor.h"
#include "addon/values.h"
#include "export/freeze.h"

namespace karlo {
namespace {

using torch::jit::Module;
using Attributes = std::vector<std::pair<std::string, at::Tensor>>;

struct Placement {
  c10::Device device;
  std::optional<c10::ScalarType> dtype;
};

/// Where a graph comes from: a file, or bytes copied out of JavaScript.
struct Source {
  std::string path;
  std::string bytes;
};

Source ReadSource(const Napi::Value& value) {
  if (value.IsString()) return {ReadString(value, "source"), ""};
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Expected("path or Uint8Array", "source", value);
  }
  const auto array = value.As<Napi::Uint8Array>();
  if (array.ElementLength() == 0) {
    throw CodedError(kInvalidArgument, "Expected bytes for source but received an empty array");
  }
  return {"", std::string(reinterpret_cast<const char*>(array.Data()), array.ElementLength())};
}

Module Load(const Source& source, const Placement& placement) {
  try {
    if (!source.path.empty()) return torch::jit::load(source.path, placement.device);
    std::istringstream stream(source.bytes);
    return torch::jit::load(stream, placement.device);
  } catch (...) {
    // An archive is refused by one type of exception, a graph that does not parse by another.
    const CodedError error = Describe(std::current_exception());
    if (error.code() == kOutOfMemory) throw error;
    const std::string name = source.path.empty() ? "the bytes given" : source.path;
    throw CodedError(kModelCorrupt, "Expected a TorchScript module in " + name +
                                        " but LibTorch says: " + error.what());
  }
}

/// As Python's `module.to(dtype)`: integers, which index and count, stay as they are. Module::to
/// converts them, too.
void ConvertFloats(const Module& module, c10::ScalarType dtype) {
  const auto convert = [dtype](at::Tensor tensor) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(dtype));
  };
  for (const at::Tensor& parameter : module.parameters()) convert(parameter);
  for (const at::Tensor& buffer : module.buffers()) convert(buffer);
}

std::shared_ptr<Module> UnwrapModule(const Napi::Value& value) {
  return Handle<Module>::Unwrap(value, "module");
}

std::vector<std::string> MethodNames(const Module& module) {
  std::vector<std::string> names;
  for (const auto& method : module.get_methods()) names.push_back(method.name());
  return names;
}

Attributes TensorAttributes(const Module& module) {
  Attributes attributes;
  for (const auto& attribute : module.named_attributes(/*recurse=*/true)) {
    if (attribute.value.isTensor()) {
      attributes.emplace_back(attribute.name, attribute.value.toTensor());
    }
  }
  return attributes;
}

/// The submodule that holds an attribute of a dotted name, and the attribute's own name.
std::pair<Module, std::string> FindAttribute(Module module, const std::string& name) {
  size_t start = 0;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', start)) {
    const std::string child = name.substr(start, dot - start);
    if (!module.hasattr(child) || !module.attr(child).isModule()) break;
    module = module.attr(child).toModule();
    start = dot + 1;
  }
  const std::string own = name.substr(start);
  if (!module.hasattr(own) || !module.attr(own).isTensor()) {
    throw CodedError(kInvalidArgument, "Expected the name of a tensor attribute but received '" +
                                           name + "', which this ScriptModule does not have");
  }
  return {module, own};
}

/// All or nothing: every name is looked up before the first attribute changes.
void Assign(const Module& module, const Attributes& attributes) {
  std::vector<std::pair<Module, std::string>> slots;
  for (const auto& attribute : attributes) slots.push_back(FindAttribute(module, attribute.first));
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i].first.setattr(slots[i].second, attributes[i].second);
  }
}

Attributes ReadAttributes(const Napi::Value& value) {
  if (!value.IsObject() || value.IsArray()) {
    throw Expected("object of tensors by attribute name", "attributes", value);
  }
  const auto object = value.As<Napi::Object>();
  const auto names = object.GetPropertyNames();
  Attributes attributes;
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = Napi::Value(names.Get(i)).ToString().Utf8Value();
    attributes.emplace_back(name, UnwrapTensor(object.Get(name), ("attributes." + name).c_str()));
  }
  return attributes;
}

}  // namespace

Napi::Value ModuleLoad(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  Source source = ReadSource(info[2]);
  const Placement placement{ReadDevice(info[3], "device"),
                            ReadOptional(info[4], "dtype", ReadDtype)};
  return engine->Submit(
      info.Env(), id, [source = std::move(source), placement]() -> Engine::Resolve {
        auto module = std::make_shared<Module>(Load(source, placement));
        if (placement.dtype) ConvertFloats(*module, *placement.dtype);
        module->eval();
        return [module](Napi::Env env) { return Handle<Module>::Wrap(env, module); };
      });
}

Napi::Value ModuleMethods(const Napi::CallbackInfo& info) {
  auto names = Napi::Array::New(info.Env());
  for (const auto& name : MethodNames(*UnwrapModule(info[0]))) names.Set(names.Length(), name);
  return names;
}

Napi::Value ModuleAttributes(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto module = UnwrapModule(info[2]);
  return engine->Submit(info.Env(), id, [module]() -> Engine::Resolve {
    return [attributes = TensorAttributes(*module)](Napi::Env env) {
      auto object = Napi::Object::New(env);
      for (const auto& [name, tensor] : attributes) object.Set(name, WrapTensor(env, tensor));
      return object;
    };
  });
}

Napi::Value ModuleAssign(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto module = UnwrapModule(info[2]);
  auto attributes = ReadAttributes(info[3]);
  return engine->Submit(info.Env(), id,
                        [module, attributes = std::move(attributes)]() -> Engine::Resolve {
                          Assign(*module, attributes);
                          return [](Napi::Env env) { return env.Undefined(); };
                        });
}

Napi::Value ModuleRun(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto module = UnwrapModule(info[2]);
  const std::string name = ReadString(info[3], "method");
  const auto method = module->find_method(name);
  if (!method) throw Expected("the name of a method of this ScriptModule", "method", info[3]);
  auto inputs = ReadInputs(method->function().getSchema(), info[4]);
  return engine->Submit(
      info.Env(), id, [module, method = *method, inputs = std::move(inputs)]() -> Engine::Resolve {
        // LibTorch's passes compare all weights of one shape, and gain a frozen graph nothing.
        const torch::jit::GraphOptimizerEnabledGuard as_it_is(false);
        return [result = method(inputs)](Napi::Env env) { return ToJs(env, result); };
      });
}

// Returns the file's bytes: whoever keeps them decides where and how.
Napi::Value ModuleSave(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto module = UnwrapModule(info[2]);
  return engine->Submit(info.Env(), id, [module]() -> Engine::Resolve {
    std::ostringstream stream;
    module->save(stream);
    return [bytes = stream.str()](Napi::Env env) -> Napi::Value {
      return Napi::Buffer<char>::Copy(env, bytes.data(), bytes.size());
    };
  });
}

// A frozen module has its weights as constants of its graph, which shares them: it is faster, and
// can neither move nor change any more.
Napi::Value ModuleFreeze(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto module = UnwrapModule(info[2]);
  auto methods = ReadOptional(info[3], "methods", ReadStrings).value_or(MethodNames(*module));
  for (const auto& name : methods) {
    if (!module->find_method(name)) {
      throw Expected("names of methods of this ScriptModule", "methods", info[3]);
    }
  }
  return engine->Submit(
      info.Env(), id, [module, methods = std::move(methods)]() -> Engine::Resolve {
        auto frozen = std::make_shared<Module>(exporting::freeze(*module, methods));
        return [frozen](Napi::Env env) { return Handle<Module>::Wrap(env, frozen); };
      });
}

Napi::Value ModuleDispose(const Napi::CallbackInfo& info) {
  Handle<Module>::Dispose(info[0], "module");
  return info.Env().Undefined();
}

}  // namespace karlo
