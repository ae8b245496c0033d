#pragma once

#include <cstdint>

#include "core/cpu_allocator.h"

namespace karlo {

// Apple's GPU, through Metal Performance Shaders. There is at most one.
struct MpsDevice {
  bool usable = false;
  bool bfloat16 = false;     // macOS 14 or newer
  int64_t total_memory = 0;  // bytes that Metal recommends to use at most
};

MpsDevice find_mps_device();
// The allocator records no peak: it is the highest of the values that this function returned.
MemoryStatistics mps_memory();
// Frees the memory that LibTorch caches for later tensors.
void trim_mps_memory();

}  // namespace karlo
