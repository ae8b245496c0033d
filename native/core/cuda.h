#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cpu_allocator.h"

namespace karlo {

/// The NVIDIA driver, asked through its own library, without CUDA's or LibTorch's.
struct CudaDriverInfo {
  bool present = false;
  int version = 0;     ///< newest CUDA that it serves, 1000 * major + 10 * minor
  std::string reason;  ///< why there is none
};

struct CudaDeviceInfo {
  std::string name;
  int64_t total_memory = 0;  ///< bytes
};

CudaDriverInfo FindCudaDriver();
/// In the driver's order, which is LibTorch's too. Throws std::runtime_error in the driver's words.
std::vector<CudaDeviceInfo> ListCudaDevices();
/// Devices that LibTorch itself can use: 0 unless its CUDA library is open.
int64_t UsableCudaDevices();
MemoryStatistics CudaMemory(int64_t index);
/// Gives what LibTorch keeps for coming tensors back, on every device.
void TrimCudaMemory();

}  // namespace karlo
