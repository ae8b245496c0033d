#pragma once

#include <ATen/core/Generator.h>
#include <napi.h>

#include "addon/handle.h"

namespace karlo {

template <>
struct Traits<at::Generator> {
  static constexpr char kName[] = "Generator";
  static constexpr napi_type_tag kTag{0x41d97c0e8b3f4f6a, 0x8f2b61d03c95ae17};
  static void release(Napi::Env /*env*/, at::Generator& /*generator*/) {}
};

Napi::Value generator_create(const Napi::CallbackInfo& info);
Napi::Value generator_randn(const Napi::CallbackInfo& info);
Napi::Value generator_get_state(const Napi::CallbackInfo& info);
Napi::Value generator_set_state(const Napi::CallbackInfo& info);
Napi::Value generator_dispose(const Napi::CallbackInfo& info);

}  // namespace karlo
