// The few operations that the diffusion loops need between two calls of a network. They run on the
// calling thread: latents are small, and one thread does them in microseconds.
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sub.h>
#include <c10/core/InferenceMode.h>

#include <string>
#include <vector>

#include "addon/arguments.h"
#include "addon/engine.h"
#include "addon/tensor.h"

namespace karlo {
namespace {

constexpr int64_t kAnySize = int64_t{1} << 53;

// LibTorch would promote tensors of two dtypes to a third: what comes then is not what TypeScript
// says. Numbers and other tensors are those that keep the dtype.
CodedError OfDtype(const std::string& expected, const std::string& name, c10::ScalarType dtype) {
  return {kInvalidArgument, "Expected Tensor of " + expected + " for " + name +
                                " but received one of dtype " + DtypeName(dtype)};
}

at::Tensor UnwrapLike(const at::Tensor& first, const Napi::Value& value, const char* name) {
  const at::Tensor tensor = UnwrapTensor(value, name);
  if (tensor.scalar_type() != first.scalar_type()) {
    throw OfDtype(std::string("dtype ") + DtypeName(first.scalar_type()), name,
                  tensor.scalar_type());
  }
  return tensor;
}

at::Scalar ReadNumberLike(const at::Tensor& tensor, const Napi::Value& value, const char* name) {
  const c10::ScalarType dtype = tensor.scalar_type();
  if (dtype == c10::ScalarType::Bool) throw OfDtype("numbers", "tensor", dtype);
  if (c10::isFloatingType(dtype)) return ReadNumber(value, name);
  return ReadInteger(value, name, -kAnySize, kAnySize);
}

// The second operand of an elementwise operation: a tensor or a number.
template <class WithTensor, class WithNumber>
Napi::Value Elementwise(const Napi::CallbackInfo& info, WithTensor with_tensor,
                        WithNumber with_number) {
  const at::Tensor left = UnwrapTensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  if (info[1].IsNumber()) {
    return WrapTensor(info.Env(), with_number(left, ReadNumberLike(left, info[1], "other")));
  }
  return WrapTensor(info.Env(), with_tensor(left, UnwrapLike(left, info[1], "other")));
}

}  // namespace

Napi::Value TensorTo(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const auto device = ReadOptional(info[1], "device", ReadDevice);
  const auto dtype = ReadOptional(info[2], "dtype", ReadDtype);
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), tensor.to(device.value_or(tensor.device()),
                                          dtype.value_or(tensor.scalar_type())));
}

Napi::Value TensorConvert(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const at::Tensor tensor = UnwrapTensor(info[2], "tensor");
  const auto device = ReadOptional(info[3], "device", ReadDevice).value_or(tensor.device());
  const auto dtype = ReadOptional(info[4], "dtype", ReadDtype).value_or(tensor.scalar_type());
  return engine->Submit(info.Env(), id, [tensor, device, dtype]() -> Engine::Resolve {
    return [result = tensor.to(device, dtype).contiguous()](Napi::Env env) {
      return WrapTensor(env, result);
    };
  });
}

Napi::Value TensorReshape(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const auto shape = ReadIntegers(info[1], "shape", -1, kAnySize);
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), tensor.reshape(shape));
}

Napi::Value TensorPermute(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const auto dimensions = ReadIntegers(info[1], "dimensions", 0, 15);
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), tensor.permute(dimensions));
}

Napi::Value TensorSlice(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const int64_t dimension = ReadInteger(info[1], "dimension", 0, tensor.dim() - 1);
  const int64_t size = tensor.size(dimension);
  const int64_t start = ReadInteger(info[2], "start", 0, size);
  const int64_t end = ReadInteger(info[3], "end", start, size);
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), tensor.slice(dimension, start, end));
}

Napi::Value TensorCat(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) throw Expected("array of tensors", "tensors", info[0]);
  const auto array = info[0].As<Napi::Array>();
  if (array.Length() == 0) throw Expected("array of at least one tensor", "tensors", info[0]);
  std::vector<at::Tensor> tensors;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const std::string name = "tensors[" + std::to_string(i) + "]";
    tensors.push_back(i == 0 ? UnwrapTensor(array.Get(i), name.c_str())
                             : UnwrapLike(tensors.front(), array.Get(i), name.c_str()));
  }
  const int64_t dimension = ReadInteger(info[1], "dimension", 0, tensors.front().dim() - 1);
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), at::cat(tensors, dimension));
}

Napi::Value TensorAdd(const Napi::CallbackInfo& info) {
  return Elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::add(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::add(a, b); });
}

Napi::Value TensorSub(const Napi::CallbackInfo& info) {
  return Elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::sub(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::sub(a, b); });
}

Napi::Value TensorMul(const Napi::CallbackInfo& info) {
  return Elementwise(
      info, [](const at::Tensor& a, const at::Tensor& b) { return at::mul(a, b); },
      [](const at::Tensor& a, const at::Scalar& b) { return at::mul(a, b); });
}

Napi::Value TensorExp(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), at::exp(tensor));
}

Napi::Value TensorRound(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), at::round(tensor));
}

Napi::Value TensorClamp(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const at::Scalar lowest = ReadNumberLike(tensor, info[1], "lowest");
  const at::Scalar highest = ReadNumberLike(tensor, info[2], "highest");
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), at::clamp(tensor, lowest, highest));
}

Napi::Value TensorResizeBicubic(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const int64_t height = ReadInteger(info[1], "height", 1, 1 << 16);
  const int64_t width = ReadInteger(info[2], "width", 1, 1 << 16);
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), at::_upsample_bicubic2d_aa(tensor, {height, width},
                                                           /*align_corners=*/false));
}

}  // namespace karlo
