#include "core/cuda_driver.h"

#include <stdexcept>

namespace karlo {

void check_driver(void* library, int status, const char* call) {
  if (status == 0) return;
  const char* message = nullptr;
  using GetErrorString = int (*)(int, const char**);
  const auto describe = find_driver_function<GetErrorString>(library, "cuGetErrorString");
  if (describe != nullptr) describe(status, &message);
  throw std::runtime_error(std::string("the NVIDIA driver returned error ") +
                           std::to_string(status) + " from " + call +
                           (message == nullptr ? "" : std::string(": ") + message));
}

}  // namespace karlo
