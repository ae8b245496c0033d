#pragma once

#include <napi.h>

namespace karlo {

Napi::Value NetworkTrace(const Napi::CallbackInfo& info);

}  // namespace karlo
