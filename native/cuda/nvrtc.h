#pragma once

#include <c10/core/ScalarType.h>

#include <string>
#include <vector>

namespace karlo::cuda {

// The code of a kernel file for one dtype and one architecture.
struct Binary {
  std::string code;  // a CUBIN, or PTX for architectures that are newer than NVRTC
  std::string log;   // the compiler's messages
};

// Whether kernels are compiled for a dtype: float32, bfloat16 and float16.
bool has_kernels_for(c10::ScalarType dtype);

// NVIDIA's run-time compiler, which is part of the CUDA libraries and needs no GPU. All methods
// throw std::runtime_error with its message.
class Nvrtc {
 public:
  // @param path of libnvrtc, or a name that the linker finds
  explicit Nvrtc(const std::string& path);

  // Those that it compiles for, in increasing order: 10 * major + minor.
  std::vector<int> architectures() const;

  // @param path of a Source @param dtype one that has kernels
  // @param verbose whether the log lists each kernel's registers and shared memory
  Binary compile(const std::string& path, c10::ScalarType dtype, int architecture,
                 bool verbose = false) const;

 private:
  template <class Function>
  Function find(const char* name) const;
  void check(int status, const char* call) const;

  void* library_;
};

// Opens the NVRTC that belongs to LibTorch's CUDA libraries, which must be open, or else the one
// that the linker finds. Throws std::runtime_error if there is none.
const Nvrtc& nvrtc();

}  // namespace karlo::cuda
