#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace karlo::cuda {

struct Grid {
  int64_t x, y, z;  // blocks
  int threads;      // per block
};

// The kernels of a file, compiled for a dtype and loaded on a device.
class Program {
 public:
  virtual ~Program() = default;

  // Launches a kernel on the device's current stream and returns. Every kernel has one parameter.
  // It neither allocates nor synchronizes, so that a CUDA graph can capture it.
  template <class Argument>
  void launch(const char* kernel, const Grid& grid, const Argument& argument) const {
    launch_with(kernel, grid, &argument);
  }

 protected:
  virtual void launch_with(const char* kernel, const Grid& grid, const void* argument) const = 0;
};

// The program of a Source for the dtype and device of a CUDA tensor; compiled once per process.
// @return nullptr if there is none, for the reason that why_no_programs() gives. Operators are
// composed of LibTorch's then.
const Program* find_program(const char* path, const at::Tensor& like);

// Why find_program() finds none on a device: compiles every Source for float32 there. Empty if it
// finds all of them.
std::string why_no_programs(c10::Device device);

}  // namespace karlo::cuda
