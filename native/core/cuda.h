#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cpu_allocator.h"

namespace karlo {

// The NVIDIA driver, queried through its own library, without CUDA or LibTorch.
struct CudaDriverInfo {
  bool present = false;
  int version = 0;     // the newest CUDA that it supports, 1000 * major + 10 * minor
  std::string reason;  // why it is not present
};

struct CudaDeviceInfo {
  std::string name;
  int64_t total_memory = 0;  // bytes
};

CudaDriverInfo find_cuda_driver();
// In the driver's order, which is also LibTorch's. Throws std::runtime_error with the driver's
// message.
std::vector<CudaDeviceInfo> list_cuda_devices();
// The number of devices that LibTorch can use: 0 unless its CUDA library is open.
int64_t usable_cuda_devices();
MemoryStatistics cuda_memory(int64_t index);
// Frees the memory that LibTorch caches for later tensors, on every device.
void trim_cuda_memory();

}  // namespace karlo
