#include "core/mps.h"

#include <ATen/Context.h>
#include <ATen/detail/MPSHooksInterface.h>

#include <algorithm>
#include <atomic>

namespace karlo {
namespace {

std::atomic<int64_t> peak{0};

int64_t raise_peak(int64_t allocated) {
  int64_t known = peak.load();
  while (known < allocated && !peak.compare_exchange_weak(known, allocated)) {
  }
  return std::max(known, allocated);
}

}  // namespace

MpsDevice find_mps_device() {
  if (!at::globalContext().hasMPS()) return {};
  const auto& hooks = at::detail::getMPSHooks();
  return {true, hooks.isOnMacOSorNewer(14, 0),
          static_cast<int64_t>(hooks.getRecommendedMaxMemory())};
}

MemoryStatistics mps_memory() {
  const auto& hooks = at::detail::getMPSHooks();
  const auto allocated = static_cast<int64_t>(hooks.getCurrentAllocatedMemory());
  return {allocated, static_cast<int64_t>(hooks.getDriverAllocatedMemory()), raise_peak(allocated)};
}

void trim_mps_memory() { at::detail::getMPSHooks().emptyCache(); }

}  // namespace karlo
