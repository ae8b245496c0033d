#pragma once

#include <ATen/core/Generator.h>
#include <napi.h>

#include "addon/handle.h"

namespace karlo {

template <>
struct Traits<at::Generator> {
  static constexpr char kName[] = "Generator";
  static constexpr napi_type_tag kTag{0x41d97c0e8b3f4f6a, 0x8f2b61d03c95ae17};
  static void Release(Napi::Env /*env*/, at::Generator& /*generator*/) {}
};

Napi::Value GeneratorCreate(const Napi::CallbackInfo& info);
Napi::Value GeneratorRandn(const Napi::CallbackInfo& info);
Napi::Value GeneratorGetState(const Napi::CallbackInfo& info);
Napi::Value GeneratorSetState(const Napi::CallbackInfo& info);
Napi::Value GeneratorDispose(const Napi::CallbackInfo& info);

}  // namespace karlo
