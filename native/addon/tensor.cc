#include "addon/tensor.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <string>
#include <utility>

#include "addon/arguments.h"
#include "addon/environment.h"

namespace karlo {
namespace {

struct TypedArray {
  c10::ScalarType dtype;
  void* data;
  int64_t length;  // elements; 0 if the buffer is detached
};

std::optional<c10::ScalarType> dtype_of(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
      return c10::ScalarType::Char;
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return c10::ScalarType::Byte;
    case napi_int16_array:
      return c10::ScalarType::Short;
    case napi_uint16_array:
      return c10::ScalarType::UInt16;
    case napi_int32_array:
      return c10::ScalarType::Int;
    case napi_uint32_array:
      return c10::ScalarType::UInt32;
    case napi_float32_array:
      return c10::ScalarType::Float;
    case napi_float64_array:
      return c10::ScalarType::Double;
    case napi_bigint64_array:
      return c10::ScalarType::Long;
    case napi_biguint64_array:
      return c10::ScalarType::UInt64;
    default:
      return std::nullopt;
  }
}

TypedArray read_typed_array(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray()) throw invalid_argument("typed array", name, value);
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) !=
      napi_ok) {
    throw invalid_argument("typed array", name, value);
  }
  const auto dtype = dtype_of(type);
  if (!dtype)
    throw invalid_argument("typed array of integers or of 32- or 64-bit floats", name, value);
  return {*dtype, data, data == nullptr ? 0 : static_cast<int64_t>(length)};
}

bool is_16_bit_float(c10::ScalarType dtype) {
  return dtype == c10::ScalarType::Half || dtype == c10::ScalarType::BFloat16;
}

// Node 20 has no array of 16-bit floats: their bits are passed in a Uint16Array. Booleans are
// passed in a Uint8Array.
c10::ScalarType stored_as(c10::ScalarType dtype) {
  if (is_16_bit_float(dtype)) return c10::ScalarType::UInt16;
  return dtype == c10::ScalarType::Bool ? c10::ScalarType::Byte : dtype;
}

CodedError wrong_length(const std::string& name, int64_t expected, int64_t received) {
  return {kInvalidArgument, "Expected " + std::to_string(expected) + " elements for " + name +
                                " but received " + std::to_string(received)};
}

}  // namespace

void StorageAccount::add(Napi::Env env, const at::Tensor& tensor) {
  Entry& entry = storages_[tensor.storage().unsafeGetStorageImpl()];
  if (entry.handles++ > 0) return;
  // Storage without an allocator is a mapped file, whose pages the system can reclaim.
  const bool mapped = tensor.storage().allocator() == nullptr;
  entry.bytes = mapped ? 0 : static_cast<int64_t>(tensor.storage().nbytes());
  Napi::MemoryManagement::AdjustExternalMemory(env, entry.bytes);
}

void StorageAccount::remove(Napi::Env env, const at::Tensor& tensor) {
  const auto found = storages_.find(tensor.storage().unsafeGetStorageImpl());
  if (found == storages_.end() || --found->second.handles > 0) return;
  const int64_t bytes = found->second.bytes;
  storages_.erase(found);
  Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
}

Napi::Object wrap_tensor(Napi::Env env, at::Tensor tensor) {
  if (!tensor.defined() || !tensor.has_storage()) {
    throw CodedError(kNative, "The operation returned no dense tensor");
  }
  dtype_name(tensor.scalar_type());  // throws if JavaScript has no name for it
  auto& account = environment_of(env).account;
  auto cell = std::make_shared<TensorCell>(TensorCell{std::move(tensor), account});
  Napi::Object handle = Handle<TensorCell>::wrap(env, cell);
  account->add(env, cell->tensor);
  return handle;
}

at::Tensor unwrap_tensor(const Napi::Value& value, const char* name) {
  return Handle<TensorCell>::unwrap(value, name)->tensor;
}

Napi::Value tensor_from(const Napi::CallbackInfo& info) {
  const auto shape = read_shape(info[1], "shape");
  const c10::ScalarType dtype = read_dtype(info[2], "dtype");
  // Read last, because a getter in the shape could detach the buffer.
  const TypedArray source = read_typed_array(info[0], "data");
  const c10::InferenceMode inference_mode;
  const int64_t elements = c10::multiply_integers(shape);
  if (elements != source.length) throw wrong_length("data", elements, source.length);
  const bool bits = is_16_bit_float(dtype) && source.dtype == c10::ScalarType::UInt16;
  const auto source_dtype = bits ? dtype : source.dtype;
  auto tensor = at::empty(shape, dtype);
  if (elements > 0) tensor.copy_(at::from_blob(source.data, shape, source_dtype));
  return wrap_tensor(info.Env(), std::move(tensor));
}

Napi::Value tensor_copy_to(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  const TypedArray target = read_typed_array(info[1], "target");
  const c10::InferenceMode inference_mode;
  if (target.dtype != stored_as(tensor.scalar_type())) {
    throw invalid_argument(
        std::string("the typed array of dtype ") + dtype_name(tensor.scalar_type()), "target",
        info[1]);
  }
  if (target.length != tensor.numel()) throw wrong_length("target", tensor.numel(), target.length);
  if (target.length > 0) {
    at::from_blob(target.data, tensor.sizes(), tensor.scalar_type()).copy_(tensor);
  }
  return info.Env().Undefined();
}

Napi::Value tensor_info(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = unwrap_tensor(info[0], "tensor");
  auto result = Napi::Object::New(info.Env());
  result.Set("shape", to_js(info.Env(), tensor.sizes()));
  result.Set("strides", to_js(info.Env(), tensor.strides()));
  result.Set("dtype", dtype_name(tensor.scalar_type()));
  result.Set("device", device_name(tensor.device()));
  return result;
}

Napi::Value tensor_dispose(const Napi::CallbackInfo& info) {
  Handle<TensorCell>::dispose(info[0], "tensor");
  return info.Env().Undefined();
}

Napi::Value tensor_is_disposed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Handle<TensorCell>::is_disposed(info[0], "tensor"));
}

}  // namespace karlo
