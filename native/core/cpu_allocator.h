#pragma once

#include <cstdint>

namespace karlo {

/// Bytes of tensor memory, of the whole process.
struct MemoryStatistics {
  int64_t allocated = 0;  ///< in use by tensors
  int64_t reserved = 0;   ///< held from the system, in use or not
  int64_t peak = 0;       ///< the highest `allocated` so far
};

/// Puts an allocator under LibTorch's CPU tensors that counts, and keeps large blocks for the next
/// one of their size. Idempotent; call it before the first tensor is made.
void InstallCpuAllocator();

/// Gives what it keeps back to the system.
void TrimCpuMemory();

MemoryStatistics CpuMemory();

}  // namespace karlo
