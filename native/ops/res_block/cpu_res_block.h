#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "ops/conv/resample.h"
#include "ops/group_norm/cpu_moments.h"

namespace karlo::ops::cpu {

// The arguments of karlo::res_block.
struct ResBlockInput {
  const at::Tensor& x;
  const std::optional<at::Tensor>& skip;
  const at::Tensor& times;
  int64_t time_start;
  bool scale_shift;
  at::TensorList weights;
  int64_t groups;
  double eps;
  Resample resample;

  bool has_shortcut() const { return weights.size() > 8; }
};

// Throws if the arguments do not fit each other: a TorchScript file may pass any tensors.
void check_sizes(const ResBlockInput& input);

// The modulation of the second norm.
Conditioning conditioning_of(const ResBlockInput& input, int64_t batch, int64_t out);

// For float32 and layers so narrow that their weights stay in a core's cache. For these, LibTorch's
// convolutions spend more time on preparation than on arithmetic, and the operators between them
// take as long again.
bool can_use_narrow_res_block(const ResBlockInput& input);

// A ResBlock in six passes over the memory: moments, norm and SiLU, convolution, and the same
// again. The skip connection and the shortcut are further taps of the convolutions, without copies.
// Results depend neither on the number of threads nor on the other images of the batch.
at::Tensor narrow_res_block(const ResBlockInput& input);

// For float32, and for bfloat16 on processors without AMX.
bool can_use_wide_res_block(const ResBlockInput& input);

// A ResBlock with Winograd convolutions, or gathered ones if there are few pixels.
at::Tensor wide_res_block(const ResBlockInput& input);

}  // namespace karlo::ops::cpu
