#include "addon/ddpm_step.h"

#include <c10/core/InferenceMode.h>

#include <optional>

#include "addon/arguments.h"
#include "addon/tensor.h"
#include "ops/ddpm_step/ddpm_step.h"

namespace karlo {
namespace {

std::optional<double> read_optional_number(const Napi::Object& object, const char* name) {
  return read_optional(object.Get(name), name, read_number);
}

double read_number_of(const Napi::Object& object, const char* name) {
  return read_number(object.Get(name), name);
}

Napi::Object read_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw invalid_argument("object", name, value);
  return value.As<Napi::Object>();
}

ops::X0Coefficients read_x0_coefficients(const Napi::Value& value, const char* name) {
  const Napi::Object x0 = read_object(value, name);
  return {read_number_of(x0, "x"), read_number_of(x0, "output"), read_number_of(x0, "divisor")};
}

ops::DdpmCoefficients read_coefficients(const Napi::Value& value) {
  const Napi::Object given = read_object(value, "coefficients");
  const Napi::Object mean = read_object(given.Get("mean"), "mean");
  return {read_optional_number(given, "guidanceScale"),
          read_optional(given.Get("x0"), "x0", read_x0_coefficients),
          read_optional_number(given, "clip"),
          read_number_of(mean, "x0"),
          read_number_of(mean, "x"),
          read_optional_number(given, "std"),
          read_number_of(given, "logVarianceMin"),
          read_number_of(given, "logVarianceMax")};
}

}  // namespace

Napi::Value ddpm_step(const Napi::CallbackInfo& info) {
  const at::Tensor x = unwrap_tensor(info[0], "x"), output = unwrap_tensor(info[1], "output");
  const auto noise = read_optional(info[2], "noise", unwrap_tensor);
  const ops::DdpmCoefficients coefficients = read_coefficients(info[3]);
  const c10::InferenceMode inference_mode;
  const auto [next, x0] = ops::ddpm_step(x, output, noise, coefficients);
  auto results = Napi::Array::New(info.Env(), 2);
  results.Set(0u, wrap_tensor(info.Env(), next));
  results.Set(1u, wrap_tensor(info.Env(), x0));
  return results;
}

}  // namespace karlo
