#pragma once

#include <napi.h>
#include <torch/script.h>

#include "addon/handle.h"

namespace karlo {

template <>
struct Traits<torch::jit::Module> {
  static constexpr char kName[] = "ScriptModule";
  static constexpr napi_type_tag kTag{0x2f85e0a7d96b4c13, 0x95c7420be8a1fd36};
  static void release(Napi::Env /*env*/, torch::jit::Module& /*module*/) {}
};

Napi::Value module_load(const Napi::CallbackInfo& info);
Napi::Value module_methods(const Napi::CallbackInfo& info);
Napi::Value module_attributes(const Napi::CallbackInfo& info);
Napi::Value module_assign(const Napi::CallbackInfo& info);
Napi::Value module_run(const Napi::CallbackInfo& info);
Napi::Value module_save(const Napi::CallbackInfo& info);
Napi::Value module_freeze(const Napi::CallbackInfo& info);
Napi::Value module_dispose(const Napi::CallbackInfo& info);

}  // namespace karlo
