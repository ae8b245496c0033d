// The operations that the diffusion loops need between two calls of a network. They run on the
// calling thread: latents are small, and the operations take microseconds.
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/div.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sub.h>
#include <c10/core/InferenceMode.h>

#include <string>
#include <vector>

#include "addon/arguments.h"
#include "addon/engine.h"
#include "addon/tensor.h"

namespace karlo {
namespace {

constexpr int64_t kMaxInteger = int64_t{1} << 53;

// Operands must keep the tensor's dtype: LibTorch would promote two dtypes to a third one, which
// the TypeScript types do not describe.
CodedError wrong_dtype(const std::string& expected, const std::string& name,
                       c10::ScalarType dtype) {
  return {kInvalidArgument, "Expected Tensor of " + expected + " for " + name +
                                " but received one of dtype " + dtype_name(dtype)};
}

at::Tensor unwrap_like(const at::Tensor& first, const Napi::Value& value, const char* name) {
  const at::Tensor tensor = unwrap_tensor(value, name);
  if (tensor.scalar_type() != first.scalar_type()) {
    throw wrong_dtype(std::string("dtype ") + dtype_name(first.scalar_type()), name,
                      tensor.scalar_type());
  }
  return tensor;
}

at::Scalar read_number_like(const at::Tensor& tensor, const Napi::Value& value, const char* name) {
  const c10::ScalarType dtype = tensor.scalar_type();
  if (dtype == c10::ScalarType::Bool) throw wrong_dtype("numbers", "tensor", dtype);
  if (c10::isFloatingType(dtype)) return read_number(value, name);
  return read_integer(value, name, -kMaxInteger, kMaxInteger);
}

// The second operand of an elementwise operation: a tensor or a number.
template <class WithTensor, class WithNumber>
Napi::Value elementwise(const Napi::CallbackInfo& info, WithTensor with_tensor,
                        WithNumber with_number) {
  const at::Tensor left = unwrap_tensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  if (info[1].IsNumber()) {
    return wrap_tensor(info.Env(), with_number(left, read_number_like(left, info[1], "other")));
  }
  return wrap_tensor(info.Env(), with_tensor(left, unwrap_like(left, info[1], "other")));
}

}  // namespace

Napi::Value tensor_to(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const auto device = read_optional(info[1], "device", read_device);
  const auto dtype = read_optional(info[2], "dtype", read_dtype);
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), tensor.to(device.value_or(tensor.device()),
                                           dtype.value_or(tensor.scalar_type())));
}

Napi::Value tensor_convert(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const at::Tensor tensor = unwrap_tensor(info[2], "tensor");
  const auto device = read_optional(info[3], "device", read_device).value_or(tensor.device());
  const auto dtype = read_optional(info[4], "dtype", read_dtype).value_or(tensor.scalar_type());
  return engine->submit(info.Env(), id, [tensor, device, dtype]() -> Engine::Resolve {
    return [result = tensor.to(device, dtype).contiguous()](Napi::Env env) {
      return wrap_tensor(env, result);
    };
  });
}

Napi::Value tensor_reshape(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const auto shape = read_integers(info[1], "shape", -1, kMaxInteger);
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), tensor.reshape(shape));
}

Napi::Value tensor_permute(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const auto dimensions = read_integers(info[1], "dimensions", 0, 15);
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), tensor.permute(dimensions));
}

Napi::Value tensor_slice(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const int64_t dimension = read_integer(info[1], "dimension", 0, tensor.dim() - 1);
  const int64_t size = tensor.size(dimension);
  const int64_t start = read_integer(info[2], "start", 0, size);
  const int64_t end = read_integer(info[3], "end", start, size);
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), tensor.slice(dimension, start, end));
}

Napi::Value tensor_cat(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) throw invalid_argument("array of tensors", "tensors", info[0]);
  const auto array = info[0].As<Napi::Array>();
  if (array.Length() == 0)
    throw invalid_argument("array of at least one tensor", "tensors", info[0]);
  std::vector<at::Tensor> tensors;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const std::string name = "tensors[" + std::to_string(i) + "]";
    tensors.push_back(i == 0 ? unwrap_tensor(array.Get(i), name.c_str())
                             : unwrap_like(tensors.front(), array.Get(i), name.c_str()));
  }
  const int64_t dimension = read_integer(info[1], "dimension", 0, tensors.front().dim() - 1);
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::cat(tensors, dimension));
}

Napi::Value tensor_add(const Napi::CallbackInfo& info) {
  return elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::add(a, b); });
}

Napi::Value tensor_sub(const Napi::CallbackInfo& info) {
  return elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::sub(a, b); });
}

Napi::Value tensor_mul(const Napi::CallbackInfo& info) {
  return elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::mul(a, b); });
}

Napi::Value tensor_div(const Napi::CallbackInfo& info) {
  return elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::div(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::div(a, b); });
}

Napi::Value tensor_exp(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::exp(tensor));
}

Napi::Value tensor_log(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::log(tensor));
}

Napi::Value tensor_sqrt(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::sqrt(tensor));
}

Napi::Value tensor_round(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::round(tensor));
}

Napi::Value tensor_clamp(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const at::Scalar lowest = read_number_like(tensor, info[1], "lowest");
  const at::Scalar highest = read_number_like(tensor, info[2], "highest");
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::clamp(tensor, lowest, highest));
}

Napi::Value tensor_resize_bicubic(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const int64_t height = read_integer(info[1], "height", 1, 1 << 16);
  const int64_t width = read_integer(info[2], "width", 1, 1 << 16);
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::_upsample_bicubic2d_aa(tensor, {height, width},
                                                            /*align_corners=*/false));
}

}  // namespace karlo
