#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "ops/conv/cpu_activations.h"

namespace karlo::ops::cpu {

// Norm, SiLU, downsampling and a 3x3 convolution, plus `residual`, for wide layers with few pixels.
// The 3x3 pixels around each pixel are gathered (im2col) and multiplied with the weights in their
// own layout: LibTorch's convolutions reorder all weights first, which takes as long as the rest
// here.
at::Tensor gathered_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual);

}  // namespace karlo::ops::cpu
