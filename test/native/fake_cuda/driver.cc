// libcuda.so.1 of a machine with the fake devices, as far as the package asks it.
#include <cstddef>
#include <cstdio>

#include "settings.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int cuInit(unsigned) { return 0; }

EXPORTED int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}

EXPORTED int cuDeviceGetCount(int* count) {
  *count = fake_cuda::device_count();
  return 0;
}

EXPORTED int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return 0;
}

EXPORTED int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, static_cast<size_t>(length), "Fake CUDA device %d", device);
  return 0;
}

EXPORTED int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = static_cast<size_t>(fake_cuda::device_memory());
  return 0;
}

EXPORTED int cuGetErrorString(int, const char** message) {
  *message = "unknown error";
  return 0;
}
