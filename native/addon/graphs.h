#pragma once

#include <napi.h>

namespace karlo {

Napi::Value cuda_graphs_open(const Napi::CallbackInfo& info);
Napi::Value cuda_graphs_statistics(const Napi::CallbackInfo& info);

}  // namespace karlo
