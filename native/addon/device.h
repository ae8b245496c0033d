#pragma once

#include <napi.h>

namespace karlo {

Napi::Value version(const Napi::CallbackInfo& info);
Napi::Value cuda_driver(const Napi::CallbackInfo& info);
Napi::Value cuda_devices(const Napi::CallbackInfo& info);
Napi::Value cuda_kernels(const Napi::CallbackInfo& info);
Napi::Value mps_device(const Napi::CallbackInfo& info);
Napi::Value memory(const Napi::CallbackInfo& info);
Napi::Value trim_memory(const Napi::CallbackInfo& info);

}  // namespace karlo
