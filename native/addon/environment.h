#pragma once

#include <napi.h>

#include <memory>

#include "addon/tensor.h"

namespace karlo {

// The state of one environment (the main thread, or a worker). There is no global state: the
// package can be loaded in several threads at once, and any of them may end first.
struct Environment {
  std::shared_ptr<StorageAccount> account = std::make_shared<StorageAccount>();
};

inline Environment& environment_of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

}  // namespace karlo
