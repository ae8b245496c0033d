// libcuda.so.1 as a driver of CUDA 12.2 shows itself to those who ask for its version, and as any
// driver does to a process from which the devices are hidden.
#include <cstdlib>
#include <cstring>

#define EXPORTED __attribute__((visibility("default")))

extern "C" {

EXPORTED int cuInit(unsigned) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return visible != nullptr && std::strlen(visible) == 0 ? 100 : 0;
}

EXPORTED int cuDriverGetVersion(int* version) {
  *version = 12020;
  return 0;
}

EXPORTED int cuGetErrorString(int error, const char** words) {
  if (error != 100) return 1;
  *words = "no CUDA-capable device is detected";
  return 0;
}

}  // extern "C"
