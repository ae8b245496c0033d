#include "cuda/driver.h"

#include <stdexcept>

#include "core/cuda_driver.h"

namespace karlo::cuda {
namespace {

// CUdevice_attribute, in cuda.h.
constexpr int kComputeCapabilityMajor = 75, kComputeCapabilityMinor = 76;

}  // namespace

Driver::Driver() {
  std::string reason;
  library_ = open_library(kCudaDriverLibrary, &reason);
  if (library_ == nullptr) throw std::runtime_error(reason);
  find(device_get_, "cuDeviceGet");
  find(device_get_attribute_, "cuDeviceGetAttribute");
  find(context_get_current_, "cuCtxGetCurrent");
  find(context_set_current_, "cuCtxSetCurrent");
  find(primary_context_retain_, "cuDevicePrimaryCtxRetain");
  find(module_load_data_, "cuModuleLoadData");
  find(module_get_function_, "cuModuleGetFunction");
  find(launch_kernel_, "cuLaunchKernel");
}

template <class Pointer>
void Driver::find(Pointer& function, const char* name) {
  function = find_driver_function<Pointer>(library_, name);
  if (function != nullptr) return;
  throw std::runtime_error(std::string(kCudaDriverLibrary) + " lacks " + name);
}

int Driver::handle_of(int device) const {
  int handle = 0;
  check_driver(library_, device_get_(&handle, device), "cuDeviceGet");
  return handle;
}

int Driver::architecture(int device) const {
  int major = 0, minor = 0;
  const int handle = handle_of(device);
  const auto get = [&](int* value, int attribute) {
    check_driver(library_, device_get_attribute_(value, attribute, handle), "cuDeviceGetAttribute");
  };
  get(&major, kComputeCapabilityMajor);
  get(&minor, kComputeCapabilityMinor);
  return 10 * major + minor;
}

void Driver::enter(int device) const {
  void* context = nullptr;
  check_driver(library_, context_get_current_(&context), "cuCtxGetCurrent");
  // The CUDA runtime, through which LibTorch selects devices, sets a context only when it needs
  // one.
  if (context != nullptr) return;
  check_driver(library_, primary_context_retain_(&context, handle_of(device)),
               "cuDevicePrimaryCtxRetain");
  check_driver(library_, context_set_current_(context), "cuCtxSetCurrent");
}

Driver::Module Driver::load(const std::string& code) const {
  Module module = nullptr;
  check_driver(library_, module_load_data_(&module, code.c_str()), "cuModuleLoadData");
  return module;
}

Driver::Function Driver::function(Module module, const char* name) const {
  Function function = nullptr;
  check_driver(library_, module_get_function_(&function, module, name), "cuModuleGetFunction");
  return function;
}

void Driver::launch(Function function, const std::array<unsigned, 3>& blocks, unsigned threads,
                    Stream stream, const void* argument) const {
  void* arguments[] = {const_cast<void*>(argument)};
  check_driver(library_,
               launch_kernel_(function, blocks[0], blocks[1], blocks[2], threads, 1, 1,
                              /*shared memory*/ 0, stream, arguments, nullptr),
               "cuLaunchKernel");
}

const Driver& driver() {
  static const Driver found;
  return found;
}

}  // namespace karlo::cuda
