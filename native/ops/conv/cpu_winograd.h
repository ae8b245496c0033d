#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "ops/conv/cpu_activations.h"

namespace karlo::ops::cpu {

// Whether there are enough pixels for winograd_conv() to be the fastest.
bool can_use_winograd(const Activations& input);

// Norm, SiLU, resampling and a 3x3 convolution, plus `residual`, for wide layers. The algorithm is
// Winograd's (Lavin & Gray 2016): F(4x4, 3x3) takes 36 multiplications for 16 pixels instead of
// 144, F(2x2, 3x3) takes 16 for four pixels, and only 9 if the image is upsampled first. It
// computes in float32, except that the products of bfloat16 are bfloat16 if prefers_bf16_dot();
// these and small images use the smaller tiles. The weights are transformed on every call: the
// transformed weights are up to four times as large, and reading them would cost more.
at::Tensor winograd_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual);

}  // namespace karlo::ops::cpu
