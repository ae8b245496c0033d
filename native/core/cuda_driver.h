#pragma once

#include <string>

#include "core/dynamic_library.h"

namespace karlo {

#ifdef _WIN32
constexpr char kCudaDriverLibrary[] = "nvcuda.dll";
#else
constexpr char kCudaDriverLibrary[] = "libcuda.so.1";
#endif

// A function of the NVIDIA driver's C interface, as declared in cuda.h; nullptr if it lacks it.
template <class Function>
Function find_driver_function(void* library, const char* name) {
  return reinterpret_cast<Function>(find_symbol(library, name));
}

// Throws std::runtime_error with the driver's message if a call of it failed.
void check_driver(void* library, int status, const char* call);

}  // namespace karlo
