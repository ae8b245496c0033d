#pragma once

#include <napi.h>

namespace karlo {

// A function of the native contract: lib/torch/addon-types.ts.
Napi::Value ddpm_step(const Napi::CallbackInfo& info);

}  // namespace karlo
