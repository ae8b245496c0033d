#include "core/cuda.h"

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <stdexcept>

#include "core/dynamic_library.h"

namespace karlo {
namespace {

#ifdef _WIN32
constexpr char kDriverLibrary[] = "nvcuda.dll";
#else
constexpr char kDriverLibrary[] = "libcuda.so.1";
#endif

// The driver's C interface, as declared in cuda.h. 0 is success.
using CuInit = int (*)(unsigned);
using CuDriverGetVersion = int (*)(int*);
using CuDeviceGetCount = int (*)(int*);
using CuDeviceGet = int (*)(int*, int);
using CuDeviceGetName = int (*)(char*, int, int);
using CuDeviceTotalMem = int (*)(size_t*, int);
using CuGetErrorString = int (*)(int, const char**);

template <class Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(find_symbol(library, name));
}

void check(void* library, int status, const char* call) {
  if (status == 0) return;
  const char* message = nullptr;
  const auto describe = find<CuGetErrorString>(library, "cuGetErrorString");
  if (describe != nullptr) describe(status, &message);
  throw std::runtime_error(std::string("the NVIDIA driver returned error ") +
                           std::to_string(status) + " from " + call +
                           (message == nullptr ? "" : std::string(": ") + message));
}

}  // namespace

CudaDriverInfo find_cuda_driver() {
  CudaDriverInfo driver;
  void* library = open_library(kDriverLibrary, &driver.reason);
  if (library == nullptr) return driver;
  const auto init = find<CuInit>(library, "cuInit");
  const auto get_version = find<CuDriverGetVersion>(library, "cuDriverGetVersion");
  if (init == nullptr || get_version == nullptr) {
    driver.reason = std::string(kDriverLibrary) + " is not NVIDIA's driver library";
    return driver;
  }
  try {
    check(library, init(0), "cuInit");
    check(library, get_version(&driver.version), "cuDriverGetVersion");
    driver.present = true;
  } catch (const std::runtime_error& error) {
    driver.reason = error.what();
  }
  return driver;
}

std::vector<CudaDeviceInfo> list_cuda_devices() {
  std::string reason;
  void* library = open_library(kDriverLibrary, &reason);
  if (library == nullptr) throw std::runtime_error(reason);
  const auto get_count = find<CuDeviceGetCount>(library, "cuDeviceGetCount");
  const auto get = find<CuDeviceGet>(library, "cuDeviceGet");
  const auto get_name = find<CuDeviceGetName>(library, "cuDeviceGetName");
  const auto get_memory = find<CuDeviceTotalMem>(library, "cuDeviceTotalMem_v2");
  if (!get_count || !get || !get_name || !get_memory) {
    throw std::runtime_error(std::string(kDriverLibrary) + " lacks an expected function");
  }
  int count = 0;
  check(library, get_count(&count), "cuDeviceGetCount");
  std::vector<CudaDeviceInfo> devices;
  for (int index = 0; index < count; ++index) {
    int device = 0;
    char name[256] = {};
    size_t memory = 0;
    check(library, get(&device, index), "cuDeviceGet");
    check(library, get_name(name, sizeof name - 1, device), "cuDeviceGetName");
    check(library, get_memory(&memory, device), "cuDeviceTotalMem");
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
