#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <optional>

namespace karlo::ops {

struct Implementations {
  torch::CppFunction composed;  // of LibTorch's operators, for any device
  torch::CppFunction cpu;       // by the kernels of this package
  // Computes the shape for a trace. Defaults to `composed`.
  std::optional<torch::CppFunction> meta = std::nullopt;
  // By the CUDA kernels of this package. Defaults to `composed`.
  std::optional<torch::CppFunction> cuda = std::nullopt;
};

// Registers the operator karlo::`name` with LibTorch. An operator must be registered, once per
// process, before a graph that contains it is traced or loaded.
// @return a handle to call the operator through LibTorch's dispatcher, so that it is traced
c10::OperatorHandle define_operator(const char* name, const char* schema,
                                    Implementations implementations);

// While one exists, operators on this thread are composed of LibTorch's, as on other devices.
class WithoutKernels {
 public:
  WithoutKernels();
  ~WithoutKernels();
  WithoutKernels(const WithoutKernels&) = delete;
  WithoutKernels& operator=(const WithoutKernels&) = delete;

 private:
  bool before_;
};

// Whether operators on this thread may use the kernels of this package.
bool kernels_allowed();

}  // namespace karlo::ops
