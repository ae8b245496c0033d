#include "addon/network.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/arguments.h"
#include "addon/engine.h"
#include "addon/script_module.h"
#include "export/trace.h"

namespace karlo {
namespace {

using nets::Config;
using nets::ConfigValue;

ConfigValue ReadNumberValue(const Napi::Value& value) {
  const double number = value.As<Napi::Number>().DoubleValue();
  const bool integer = std::trunc(number) == number && std::abs(number) < 9e15;
  return integer ? ConfigValue(static_cast<int64_t>(number)) : ConfigValue(number);
}

ConfigValue ReadListValue(const Napi::Value& value, const char* name) {
  const auto array = value.As<Napi::Array>();
  const bool texts = array.Length() > 0 && Napi::Value(array.Get(0u)).IsString();
  if (texts) return ReadStrings(value, name);
  return ReadIntegers(value, name, 0, int64_t{1} << 53);
}

ConfigValue ReadConfigValue(const Napi::Value& value, const char* name) {
  if (value.IsNull()) return std::monostate{};
  if (value.IsBoolean()) return ReadBoolean(value, name);
  if (value.IsNumber()) return ReadNumberValue(value);
  if (value.IsString()) return ReadString(value, name);
  if (value.IsArray()) return ReadListValue(value, name);
  throw Expected("null, boolean, number, string or a list of these", name, value);
}

Config ReadConfig(const Napi::Value& value) {
  if (!value.IsObject() || value.IsArray()) throw Expected("object", "config", value);
  const auto object = value.As<Napi::Object>();
  const auto keys = object.GetPropertyNames();
  Config config;
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = Napi::Value(keys.Get(i)).ToString().Utf8Value();
    config[key] = ReadConfigValue(object.Get(key), ("config." + key).c_str());
  }
  return config;
}

Napi::Value ToJs(Napi::Env env, const std::vector<nets::TensorSpec>& parameters) {
  auto list = Napi::Array::New(env, parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    auto parameter = Napi::Object::New(env);
    parameter.Set("name", parameters[i].name);
    parameter.Set("shape", karlo::ToJs(env, parameters[i].shape));
    parameter.Set("keepFloat32", parameters[i].keep_float32);
    list.Set(static_cast<uint32_t>(i), parameter);
  }
  return list;
}

Napi::Value ToJs(Napi::Env env, const std::shared_ptr<exporting::TracedNetwork>& network) {
  auto ignored = Napi::Array::New(env);
  for (const auto& name : network->ignored) ignored.Set(ignored.Length(), name);
  auto result = Napi::Object::New(env);
  auto module = std::make_shared<torch::jit::Module>(network->module);
  result.Set("module", Handle<torch::jit::Module>::Wrap(env, std::move(module)));
  result.Set("parameters", ToJs(env, network->parameters));
  result.Set("ignored", ignored);
  return result;
}

}  // namespace

Napi::Value NetworkTrace(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  std::string kind = ReadString(info[2], "kind");
  Config config = ReadConfig(info[3]);
  auto methods = ReadStrings(info[4], "methods");
  return engine->Submit(info.Env(), id,
                        [kind = std::move(kind), config = std::move(config),
                         methods = std::move(methods)]() -> Engine::Resolve {
                          try {
                            auto network = std::make_shared<exporting::TracedNetwork>(
                                exporting::trace_network(kind, config, methods));
                            return [network](Napi::Env env) { return ToJs(env, network); };
                          } catch (const std::invalid_argument& error) {
                            throw CodedError(kModelCorrupt, error.what());
                          }
                        });
}

}  // namespace karlo
