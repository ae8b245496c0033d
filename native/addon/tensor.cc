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
  int64_t length;  ///< elements; 0 for a detached buffer
};

std::optional<c10::ScalarType> DtypeOf(napi_typedarray_type type) {
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

TypedArray ReadTypedArray(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray()) throw Expected("typed array", name, value);
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) !=
      napi_ok) {
    throw Expected("typed array", name, value);
  }
  const auto dtype = DtypeOf(type);
  if (!dtype) throw Expected("typed array of integers or of 32- or 64-bit floats", name, value);
  return {*dtype, data, data == nullptr ? 0 : static_cast<int64_t>(length)};
}

bool Is16BitFloat(c10::ScalarType dtype) {
  return dtype == c10::ScalarType::Half || dtype == c10::ScalarType::BFloat16;
}

// JavaScript has no 16-bit floats in Node 20: their bits travel in a Uint16Array. Booleans travel
// in a Uint8Array.
c10::ScalarType StoredAs(c10::ScalarType dtype) {
  if (Is16BitFloat(dtype)) return c10::ScalarType::UInt16;
  return dtype == c10::ScalarType::Bool ? c10::ScalarType::Byte : dtype;
}

CodedError WrongLength(const std::string& name, int64_t expected, int64_t received) {
  return {kInvalidArgument, "Expected " + std::to_string(expected) + " elements for " + name +
                                " but received " + std::to_string(received)};
}

}  // namespace

void StorageAccount::Add(Napi::Env env, const at::Tensor& tensor) {
  Entry& entry = storages_[tensor.storage().unsafeGetStorageImpl()];
  if (entry.handles++ > 0) return;
  // What no allocator made is a mapped file: the system takes its pages back by itself.
  const bool mapped = tensor.storage().allocator() == nullptr;
  entry.bytes = mapped ? 0 : static_cast<int64_t>(tensor.storage().nbytes());
  Napi::MemoryManagement::AdjustExternalMemory(env, entry.bytes);
}

void StorageAccount::Remove(Napi::Env env, const at::Tensor& tensor) {
  const auto found = storages_.find(tensor.storage().unsafeGetStorageImpl());
  if (found == storages_.end() || --found->second.handles > 0) return;
  const int64_t bytes = found->second.bytes;
  storages_.erase(found);
  Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
}

Napi::Object WrapTensor(Napi::Env env, at::Tensor tensor) {
  if (!tensor.defined() || !tensor.has_storage()) {
    throw CodedError(kNative, "The operation returned no dense tensor");
  }
  DtypeName(tensor.scalar_type());  // refuses what JavaScript could not name
  auto& account = EnvironmentOf(env).account;
  auto cell = std::make_shared<TensorCell>(TensorCell{std::move(tensor), account});
  Napi::Object handle = Handle<TensorCell>::Wrap(env, cell);
  account->Add(env, cell->tensor);
  return handle;
}

at::Tensor UnwrapTensor(const Napi::Value& value, const char* name) {
  return Handle<TensorCell>::Unwrap(value, name)->tensor;
}

Napi::Value TensorFrom(const Napi::CallbackInfo& info) {
  const auto shape = ReadShape(info[1], "shape");
  const c10::ScalarType dtype = ReadDtype(info[2], "dtype");
  // Last: a getter in the shape could detach the buffer.
  const TypedArray source = ReadTypedArray(info[0], "data");
  const c10::InferenceMode inference_mode;
  const int64_t elements = c10::multiply_integers(shape);
  if (elements != source.length) throw WrongLength("data", elements, source.length);
  const bool bits = Is16BitFloat(dtype) && source.dtype == c10::ScalarType::UInt16;
  const auto source_dtype = bits ? dtype : source.dtype;
  auto tensor = at::empty(shape, dtype);
  if (elements > 0) tensor.copy_(at::from_blob(source.data, shape, source_dtype));
  return WrapTensor(info.Env(), std::move(tensor));
}

Napi::Value TensorCopyTo(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  const TypedArray target = ReadTypedArray(info[1], "target");
  const c10::InferenceMode inference_mode;
  if (target.dtype != StoredAs(tensor.scalar_type())) {
    throw Expected(std::string("the typed array of dtype ") + DtypeName(tensor.scalar_type()),
                   "target", info[1]);
  }
  if (target.length != tensor.numel()) throw WrongLength("target", tensor.numel(), target.length);
  if (target.length > 0) {
    at::from_blob(target.data, tensor.sizes(), tensor.scalar_type()).copy_(tensor);
  }
  return info.Env().Undefined();
}

Napi::Value TensorInfo(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = UnwrapTensor(info[0], "tensor");
  auto result = Napi::Object::New(info.Env());
  result.Set("shape", ToJs(info.Env(), tensor.sizes()));
  result.Set("strides", ToJs(info.Env(), tensor.strides()));
  result.Set("dtype", DtypeName(tensor.scalar_type()));
  result.Set("device", tensor.device().str());
  return result;
}

Napi::Value TensorDispose(const Napi::CallbackInfo& info) {
  Handle<TensorCell>::Dispose(info[0], "tensor");
  return info.Env().Undefined();
}

Napi::Value TensorIsDisposed(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Handle<TensorCell>::IsDisposed(info[0], "tensor"));
}

}  // namespace karlo
