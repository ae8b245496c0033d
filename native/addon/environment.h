#pragma once

#include <napi.h>

#include <memory>

#include "addon/tensor.h"

namespace karlo {

/// All state of one environment (the main thread, or a worker). There is no other: the package can
/// be loaded in several threads at once, and any of them may end first.
struct Environment {
  std::shared_ptr<StorageAccount> account = std::make_shared<StorageAccount>();
};

inline Environment& EnvironmentOf(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

}  // namespace karlo
