#include "addon/graphs.h"

#include "addon/arguments.h"
#include "core/cuda_graphs.h"

namespace karlo {

Napi::Value cuda_graphs_open(const Napi::CallbackInfo& info) {
  cuda_graphs::open(read_string(info[0], "library"));
  return info.Env().Undefined();
}

Napi::Value cuda_graphs_statistics(const Napi::CallbackInfo& info) {
  const auto statistics = cuda_graphs::statistics();
  auto result = Napi::Object::New(info.Env());
  result.Set("available", statistics.available);
  result.Set("reason", statistics.reason);
  result.Set("graphs", static_cast<double>(statistics.graphs));
  result.Set("replays", static_cast<double>(statistics.replays));
  return result;
}

}  // namespace karlo
