#pragma once

#include <napi.h>
#include <torch/script.h>

#include "addon/handle.h"

namespace karlo {

template <>
struct Traits<torch::jit::Module> {
  static constexpr char kName[] = "ScriptModule";
  static constexpr napi_type_tag kTag{0x2f85e0a7d96b4c13, 0x95c7420be8a1fd36};
  static void Release(Napi::Env /*env*/, torch::jit::Module& /*module*/) {}
};

Napi::Value ModuleLoad(const Napi::CallbackInfo& info);
Napi::Value ModuleMethods(const Napi::CallbackInfo& info);
Napi::Value ModuleAttributes(const Napi::CallbackInfo& info);
Napi::Value ModuleAssign(const Napi::CallbackInfo& info);
Napi::Value ModuleRun(const Napi::CallbackInfo& info);
Napi::Value ModuleSave(const Napi::CallbackInfo& info);
Napi::Value ModuleFreeze(const Napi::CallbackInfo& info);
Napi::Value ModuleDispose(const Napi::CallbackInfo& info);

}  // namespace karlo
