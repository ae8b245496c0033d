#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <memory>
#include <unordered_map>

#include "addon/handle.h"

namespace karlo {

// Tells V8 how many bytes the handles of one environment keep alive, so that it collects
// unreachable ones. Storage that several views share counts once.
class StorageAccount {
 public:
  void add(Napi::Env env, const at::Tensor& tensor);
  void remove(Napi::Env env, const at::Tensor& tensor);

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
  static void release(Napi::Env env, TensorCell& cell) { cell.account->remove(env, cell.tensor); }
};

Napi::Object wrap_tensor(Napi::Env env, at::Tensor tensor);
at::Tensor unwrap_tensor(const Napi::Value& value, const char* name);

// The functions of the native contract: lib/torch/addon-types.ts.
Napi::Value tensor_from(const Napi::CallbackInfo& info);
Napi::Value tensor_copy_to(const Napi::CallbackInfo& info);
Napi::Value tensor_info(const Napi::CallbackInfo& info);
Napi::Value tensor_dispose(const Napi::CallbackInfo& info);
Napi::Value tensor_is_disposed(const Napi::CallbackInfo& info);

// tensor_ops.cc
Napi::Value tensor_to(const Napi::CallbackInfo& info);
Napi::Value tensor_convert(const Napi::CallbackInfo& info);
Napi::Value tensor_reshape(const Napi::CallbackInfo& info);
Napi::Value tensor_permute(const Napi::CallbackInfo& info);
Napi::Value tensor_slice(const Napi::CallbackInfo& info);
Napi::Value tensor_cat(const Napi::CallbackInfo& info);
Napi::Value tensor_add(const Napi::CallbackInfo& info);
Napi::Value tensor_sub(const Napi::CallbackInfo& info);
Napi::Value tensor_mul(const Napi::CallbackInfo& info);
Napi::Value tensor_div(const Napi::CallbackInfo& info);
Napi::Value tensor_exp(const Napi::CallbackInfo& info);
Napi::Value tensor_log(const Napi::CallbackInfo& info);
Napi::Value tensor_sqrt(const Napi::CallbackInfo& info);
Napi::Value tensor_round(const Napi::CallbackInfo& info);
Napi::Value tensor_clamp(const Napi::CallbackInfo& info);
Napi::Value tensor_resize_bicubic(const Napi::CallbackInfo& info);

}  // namespace karlo
