#pragma once

#include <napi.h>

namespace karlo {

Napi::Value network_trace(const Napi::CallbackInfo& info);

}  // namespace karlo
