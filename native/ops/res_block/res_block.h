#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "ops/conv/resample.h"

namespace karlo::ops {

// karlo::res_block: a ResBlock of a UNet (Dhariwal & Nichol 2021, section 3). GroupNorm, SiLU and a
// 3x3 convolution, twice, with the time embedding applied at the second norm. The image is
// resampled before the first convolution.
// @param x [B, C, H, W] @param skip the activation of a skip connection, whose channels are
// appended to those of x
// @param times [B or 1, *], the projected time embedding, which is read from time_start
// @param scale_shift whether the time embedding scales and shifts, or is only added
// @param weights weight and bias of norm1, conv1, norm2, conv2 and, if the number of channels
// changes, the shortcut
// @return [B, out, H', W']
at::Tensor res_block(const at::Tensor& x, const std::optional<at::Tensor>& skip,
                     const at::Tensor& times, int64_t time_start, bool scale_shift,
                     at::TensorList weights, int64_t groups, double eps, Resample resample);

void register_res_block();

}  // namespace karlo::ops
