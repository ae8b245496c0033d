#pragma once

#include <napi.h>
#include <torch/script.h>

#include <set>
#include <string>
#include <utility>

#include "addon/handle.h"
#include "core/cuda_graphs.h"

namespace karlo {

// A TorchScript module, and the CUDA graphs of its methods.
struct ScriptModule {
  explicit ScriptModule(torch::jit::Module module, std::set<std::string> recorded = {})
      : module(std::move(module)), graphs(std::move(recorded)) {}

  torch::jit::Module module;
  cuda_graphs::MethodGraphs graphs;
};

template <>
struct Traits<ScriptModule> {
  static constexpr char kName[] = "ScriptModule";
  static constexpr napi_type_tag kTag{0x2f85e0a7d96b4c13, 0x95c7420be8a1fd36};
  static void release(Napi::Env /*env*/, ScriptModule& /*module*/) {}
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
