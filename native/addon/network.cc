#include "addon/network.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/arguments.h"
#include "addon/engine.h"
#include "addon/script_module.h"
#include "nets/registry.h"

namespace karlo {
namespace {

using nets::Config;
using nets::ConfigValue;

ConfigValue read_number_value(const Napi::Value& value) {
  const double number = value.As<Napi::Number>().DoubleValue();
  const bool integer = std::trunc(number) == number && std::abs(number) < 9e15;
  return integer ? ConfigValue(static_cast<int64_t>(number)) : ConfigValue(number);
}

ConfigValue read_list_value(const Napi::Value& value, const char* name) {
  const auto array = value.As<Napi::Array>();
  const bool texts = array.Length() > 0 && Napi::Value(array.Get(0u)).IsString();
  if (texts) return read_strings(value, name);
  return read_integers(value, name, 0, int64_t{1} << 53);
}

ConfigValue read_config_value(const Napi::Value& value, const char* name) {
  if (value.IsNull()) return std::monostate{};
  if (value.IsBoolean()) return read_boolean(value, name);
  if (value.IsNumber()) return read_number_value(value);
  if (value.IsString()) return read_string(value, name);
  if (value.IsArray()) return read_list_value(value, name);
  throw invalid_argument("null, boolean, number, string or a list of these", name, value);
}

Config read_config(const Napi::Value& value) {
  if (!value.IsObject() || value.IsArray()) throw invalid_argument("object", "config", value);
  const auto object = value.As<Napi::Object>();
  const auto keys = object.GetPropertyNames();
  Config config;
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = Napi::Value(keys.Get(i)).ToString().Utf8Value();
    config[key] = read_config_value(object.Get(key), ("config." + key).c_str());
  }
  return config;
}

Napi::Value to_js(Napi::Env env, const std::vector<nets::TensorSpec>& parameters) {
  auto list = Napi::Array::New(env, parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    auto parameter = Napi::Object::New(env);
    parameter.Set("name", parameters[i].name);
    parameter.Set("shape", karlo::to_js(env, parameters[i].shape));
    parameter.Set("keepFloat32", parameters[i].keep_float32);
    list.Set(static_cast<uint32_t>(i), parameter);
  }
  return list;
}

Napi::Value to_js(Napi::Env env, const std::shared_ptr<nets::TracedNetwork>& network) {
  auto result = Napi::Object::New(env);
  auto module = std::make_shared<ScriptModule>(network->module);
  result.Set("module", Handle<ScriptModule>::wrap(env, std::move(module)));
  result.Set("parameters", to_js(env, network->parameters));
  return result;
}

}  // namespace

Napi::Value network_trace(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  std::string kind = read_string(info[2], "kind");
  Config config = read_config(info[3]);
  auto methods = read_strings(info[4], "methods");
  return engine->submit(info.Env(), id,
                        [kind = std::move(kind), config = std::move(config),
                         methods = std::move(methods)]() -> Engine::Resolve {
                          try {
                            auto network = std::make_shared<nets::TracedNetwork>(
                                nets::trace_network(kind, config, methods));
                            return [network](Napi::Env env) { return to_js(env, network); };
                          } catch (const std::invalid_argument& error) {
                            throw CodedError(kModelCorrupt, error.what());
                          }
                        });
}

}  // namespace karlo
