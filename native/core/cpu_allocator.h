#pragma once

#include <cstdint>

namespace karlo {

// Bytes of tensor memory in the whole process.
struct MemoryStatistics {
  int64_t allocated = 0;  // in use by tensors
  int64_t reserved = 0;   // held from the system, in use or not
  int64_t peak = 0;       // the highest `allocated` so far
};

// Replaces LibTorch's allocator for CPU tensors by one that counts, and that keeps large blocks for
// the next request of their size. Idempotent. Call it before the first tensor is created.
void install_cpu_allocator();

// Returns the kept blocks to the system.
void trim_cpu_memory();

MemoryStatistics cpu_memory();

}  // namespace karlo
