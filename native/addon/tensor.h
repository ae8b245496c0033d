#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <memory>
#include <unordered_map>

#include "addon/handle.h"

namespace karlo {

/// Tells V8 how many bytes the handles of one environment hold, so that it collects forgotten ones.
/// A storage that several views share counts once.
class StorageAccount {
 public:
  void Add(Napi::Env env, const at::Tensor& tensor);
  void Remove(Napi::Env env, const at::Tensor& tensor);

 private:
  struct Entry {
    int64_t handles = 0;
    int64_t bytes = 0;
  };
  std::unordered_map<const void*, Entry> storages_;
};

struct TensorCell {
  at::Tensor tensor;
  std::shared_ptr<StorageAccount> account;
};

template <>
struct Traits<TensorCell> {
  static constexpr char kName[] = "Tensor";
  static constexpr napi_type_tag kTag{0x9c1f0b6f2d7e4a31, 0xb0a4d5c86e19f702};
  static void Release(Napi::Env env, TensorCell& cell) { cell.account->Remove(env, cell.tensor); }
};

Napi::Object WrapTensor(Napi::Env env, at::Tensor tensor);
at::Tensor UnwrapTensor(const Napi::Value& value, const char* name);

// The functions below are the native contract's, by the same names: lib/torch/addon-types.ts.
Napi::Value TensorFrom(const Napi::CallbackInfo& info);
Napi::Value TensorCopyTo(const Napi::CallbackInfo& info);
Napi::Value TensorInfo(const Napi::CallbackInfo& info);
Napi::Value TensorDispose(const Napi::CallbackInfo& info);
Napi::Value TensorIsDisposed(const Napi::CallbackInfo& info);

// tensor_ops.cc
Napi::Value TensorTo(const Napi::CallbackInfo& info);
Napi::Value TensorConvert(const Napi::CallbackInfo& info);
Napi::Value TensorReshape(const Napi::CallbackInfo& info);
Napi::Value TensorPermute(const Napi::CallbackInfo& info);
Napi::Value TensorSlice(const Napi::CallbackInfo& info);
Napi::Value TensorCat(const Napi::CallbackInfo& info);
Napi::Value TensorAdd(const Napi::CallbackInfo& info);
Napi::Value TensorSub(const Napi::CallbackInfo& info);
Napi::Value TensorMul(const Napi::CallbackInfo& info);
Napi::Value TensorExp(const Napi::CallbackInfo& info);
Napi::Value TensorRound(const Napi::CallbackInfo& info);
Napi::Value TensorClamp(const Napi::CallbackInfo& info);
Napi::Value TensorResizeBicubic(const Napi::CallbackInfo& info);

}  // namespace karlo
