#include "core/cuda.h"

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <stdexcept>

#include "core/cuda_driver.h"

namespace karlo {
namespace {

// The driver's C interface, as declared in cuda.h. 0 is success.
using CuInit = int (*)(unsigned);
using CuDriverGetVersion = int (*)(int*);
using CuDeviceGetCount = int (*)(int*);
using CuDeviceGet = int (*)(int*, int);
using CuDeviceGetName = int (*)(char*, int, int);
using CuDeviceTotalMem = int (*)(size_t*, int);

}  // namespace

CudaDriverInfo find_cuda_driver() {
  CudaDriverInfo driver;
  void* library = open_library(kCudaDriverLibrary, &driver.reason);
  if (library == nullptr) return driver;
  const auto init = find_driver_function<CuInit>(library, "cuInit");
  const auto get_version = find_driver_function<CuDriverGetVersion>(library, "cuDriverGetVersion");
  if (init == nullptr || get_version == nullptr) {
    driver.reason = std::string(kCudaDriverLibrary) + " is not NVIDIA's driver library";
    return driver;
  }
  try {
    check_driver(library, init(0), "cuInit");
    check_driver(library, get_version(&driver.version), "cuDriverGetVersion");
    driver.present = true;
  } catch (const std::runtime_error& error) {
    driver.reason = error.what();
  }
  return driver;
}

std::vector<CudaDeviceInfo> list_cuda_devices() {
  std::string reason;
  void* library = open_library(kCudaDriverLibrary, &reason);
  if (library == nullptr) throw std::runtime_error(reason);
  const auto get_count = find_driver_function<CuDeviceGetCount>(library, "cuDeviceGetCount");
  const auto get = find_driver_function<CuDeviceGet>(library, "cuDeviceGet");
  const auto get_name = find_driver_function<CuDeviceGetName>(library, "cuDeviceGetName");
  const auto get_memory = find_driver_function<CuDeviceTotalMem>(library, "cuDeviceTotalMem_v2");
  if (!get_count || !get || !get_name || !get_memory) {
    throw std::runtime_error(std::string(kCudaDriverLibrary) + " lacks an expected function");
  }
  int count = 0;
  check_driver(library, get_count(&count), "cuDeviceGetCount");
  std::vector<CudaDeviceInfo> devices;
  for (int index = 0; index < count; ++index) {
    int device = 0;
    char name[256] = {};
    size_t memory = 0;
    check_driver(library, get(&device, index), "cuDeviceGet");
    check_driver(library, get_name(name, sizeof name - 1, device), "cuDeviceGetName");
    check_driver(library, get_memory(&memory, device), "cuDeviceTotalMem");
    devices.push_back({name, static_cast<int64_t>(memory)});
  }
  return devices;
}

int64_t usable_cuda_devices() {
  return at::globalContext().hasCUDA() ? static_cast<int64_t>(at::getNumGPUs()) : 0;
}

MemoryStatistics cuda_memory(int64_t index) {
  constexpr auto kTotal = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  auto* allocator = c10::getDeviceAllocator(c10::DeviceType::CUDA);
  if (!allocator->initialized()) return {};
  const auto statistics = allocator->getDeviceStats(static_cast<c10::DeviceIndex>(index));
  const auto& allocated = statistics.allocated_bytes[kTotal];
  return {allocated.current, statistics.reserved_bytes[kTotal].current, allocated.peak};
}

void trim_cuda_memory() {
  auto* allocator = c10::getDeviceAllocator(c10::DeviceType::CUDA);
  if (allocator->initialized()) allocator->emptyCache();
}

}  // namespace karlo
