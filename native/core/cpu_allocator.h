#pragma once

#include <cstdint>

namespace karlo {

/// Bytes of tensor memory, of the whole process.
struct MemoryStatistics {
  int64_t allocated = 0;  ///< in use by tensors
  int64_t reserved = 0;   ///< held from the system, in use or not
  int64_t peak = 0;       ///< the highest `allocated` so far
};

/// Puts a counting allocator under LibTorch's CPU tensors. Idempotent; call it before the first
/// tensor is made.
void InstallCpuAllocator();

MemoryStatistics CpuMemory();

}  // namespace karlo
