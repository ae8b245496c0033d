#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "nets/res_block.h"
#include "ops/group_norm/cpu_moments.h"

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

// Throws where they do not fit each other: a TorchScript file may hand on anything.
void check_sizes(const ResBlockInput& input);

// What the time embedding does to the second norm.
Modulations modulations_of(const ResBlockInput& input, int64_t batch, int64_t out);

// Whether narrow_res_block is for these: float32, and so narrow that its weights stay in a core's
// cache. There LibTorch's convolutions spend more time on getting ready than on computing, and the
// operators between them as much again.
bool is_narrow(const ResBlockInput& input);

// A ResBlock as six walks over the memory: moments, norm and SiLU, convolution, and again. What is
// skipped is no copy but more taps of the convolutions, and so is the shortcut. Nothing that it
// computes hangs on the number of threads, nor what it computes of one picture on the others.
at::Tensor narrow_res_block(const ResBlockInput& input);

// Whether wide_res_block is for these: float32, or bfloat16 on a processor without matrices.
bool is_wide(const ResBlockInput& input);

at::Tensor wide_res_block(const ResBlockInput& input);

}  // namespace karlo::nets::cpu
