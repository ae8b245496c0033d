#pragma once

#include <napi.h>

namespace karlo {

Napi::Value Version(const Napi::CallbackInfo& info);
Napi::Value CudaDriver(const Napi::CallbackInfo& info);
Napi::Value CudaDevices(const Napi::CallbackInfo& info);
Napi::Value Memory(const Napi::CallbackInfo& info);
Napi::Value TrimMemory(const Napi::CallbackInfo& info);

}  // namespace karlo
