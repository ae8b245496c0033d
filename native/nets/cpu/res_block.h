#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "nets/res_block.h"

namespace karlo::nets::cpu {

// The arguments of karlo::res_block.
struct ResBlockInput {
  const at::Tensor& x;
  const std::optional<at::Tensor>& skipped;
  const at::Tensor& times;
  int64_t time_start;
  bool scale_shift;
  at::TensorList weights;
  int64_t groups;
  double eps;
  Resample resample;
};

// Whether the kernel below is for these: float32, and so narrow that its weights stay in a core's
// cache. There LibTorch's convolutions spend more time on getting ready than on computing, and the
// operators between them as much again.
bool can_run(const ResBlockInput& input);

// A ResBlock as six walks over the memory: moments, norm and SiLU, convolution, and again. What is
// skipped is no copy but more taps of the convolutions, and so is the shortcut. Nothing that it
// computes hangs on the number of threads, nor what it computes of one picture on the others.
at::Tensor res_block(const ResBlockInput& input);

}  // namespace karlo::nets::cpu
