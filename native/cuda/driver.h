#pragma once

#include <array>
#include <string>

namespace karlo::cuda {

// What kernels need of the NVIDIA driver. All methods throw std::runtime_error with its message.
class Driver {
 public:
  using Module = void*;
  using Function = void*;
  using Stream = void*;

  Driver();

  // 10 * major + minor of its compute capability.
  // @param device index, as LibTorch numbers them
  int architecture(int device) const;
  // Makes the device's primary context, which LibTorch uses, this thread's current one.
  void enter(int device) const;
  // @param code a CUBIN or PTX
  Module load(const std::string& code) const;
  Function function(Module module, const char* name) const;
  // @param argument the kernel's only one
  void launch(Function function, const std::array<unsigned, 3>& blocks, unsigned threads,
              Stream stream, const void* argument) const;

 private:
  template <class Pointer>
  void find(Pointer& function, const char* name);
  // The driver's handle of a device.
  int handle_of(int device) const;

  void* library_;
  // As declared in cuda.h. 0 is success.
  int (*device_get_)(int*, int);
  int (*device_get_attribute_)(int*, int, int);
  int (*context_get_current_)(void**);
  int (*context_set_current_)(void*);
  int (*primary_context_retain_)(void**, int);
  int (*module_load_data_)(void**, const void*);
  int (*module_get_function_)(void**, void*, const char*);
  int (*launch_kernel_)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                        void*, void**, void**);
};

// Throws std::runtime_error if there is no driver, or if it lacks a function.
const Driver& driver();

}  // namespace karlo::cuda
