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

// The driver's C interface, as its header declares it; 0 is success.
using CuInit = int (*)(unsigned);
using CuDriverGetVersion = int (*)(int*);
using CuDeviceGetCount = int (*)(int*);
using CuDeviceGet = int (*)(int*, int);
using CuDeviceGetName = int (*)(char*, int, int);
using CuDeviceTotalMem = int (*)(size_t*, int);
using CuGetErrorString = int (*)(int, const char**);

template <class Function>
Function Find(void* library, const char* name) {
  return reinterpret_cast<Function>(FindSymbol(library, name));
}

void Check(void* library, int status, const char* call) {
  if (status == 0) return;
  const char* words = nullptr;
  const auto describe = Find<CuGetErrorString>(library, "cuGetErrorString");
  if (describe != nullptr) describe(status, &words);
  throw std::runtime_error(std::string("the NVIDIA driver answered error ") +
                           std::to_string(status) + " to " + call +
                           (words == nullptr ? "" : std::string(": ") + words));
}

}  // namespace

CudaDriverInfo FindCudaDriver() {
  CudaDriverInfo driver;
  void* library = OpenLibrary(kDriverLibrary, &driver.reason);
  if (library == nullptr) return driver;
  const auto init = Find<CuInit>(library, "cuInit");
  const auto get_version = Find<CuDriverGetVersion>(library, "cuDriverGetVersion");
  if (init == nullptr || get_version == nullptr) {
    driver.reason = std::string(kDriverLibrary) + " is not NVIDIA's driver library";
    return driver;
  }
  try {
    Check(library, init(0), "cuInit");
    Check(library, get_version(&driver.version), "cuDriverGetVersion");
    driver.present = true;
  } catch (const std::runtime_error& error) {
    driver.reason = error.what();
  }
  return driver;
}

std::vector<CudaDeviceInfo> ListCudaDevices() {
  std::string reason;
  void* library = OpenLibrary(kDriverLibrary, &reason);
  if (library == nullptr) throw std::runtime_error(reason);
  const auto get_count = Find<CuDeviceGetCount>(library, "cuDeviceGetCount");
  const auto get = Find<CuDeviceGet>(library, "cuDeviceGet");
  const auto get_name = Find<CuDeviceGetName>(library, "cuDeviceGetName");
  const auto get_memory = Find<CuDeviceTotalMem>(library, "cuDeviceTotalMem_v2");
  if (!get_count || !get || !get_name || !get_memory) {
    throw std::runtime_error(std::string(kDriverLibrary) + " lacks a function it should have");
  }
  int count = 0;
  Check(library, get_count(&count), "cuDeviceGetCount");
  std::vector<CudaDeviceInfo> devices;
  for (int index = 0; index < count; ++index) {
    int device = 0;
    char name[256] = {};
    size_t memory = 0;
    Check(library, get(&device, index), "cuDeviceGet");
    Check(library, get_name(name, sizeof name - 1, device), "cuDeviceGetName");
    Check(library, get_memory(&memory, device), "cuDeviceTotalMem");
    devices.push_back({name, static_cast<int64_t>(memory)});
  }
  return devices;
}

int64_t UsableCudaDevices() {
  return at::globalContext().hasCUDA() ? static_cast<int64_t>(at::getNumGPUs()) : 0;
}

MemoryStatistics CudaMemory(int64_t index) {
  constexpr auto kTotal = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  auto* allocator = c10::getDeviceAllocator(c10::DeviceType::CUDA);
  if (!allocator->initialized()) return {};
  const auto statistics = allocator->getDeviceStats(static_cast<c10::DeviceIndex>(index));
  const auto& allocated = statistics.allocated_bytes[kTotal];
  return {allocated.current, statistics.reserved_bytes[kTotal].current, allocated.peak};
}

void TrimCudaMemory() {
  auto* allocator = c10::getDeviceAllocator(c10::DeviceType::CUDA);
  if (allocator->initialized()) allocator->emptyCache();
}

}  // namespace karlo
