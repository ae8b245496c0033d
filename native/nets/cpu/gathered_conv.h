#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "nets/cpu/activations.h"

namespace karlo::nets::cpu {

// Norm, SiLU, halving and a 3x3 convolution of wide layers and few pixels, to which `residual` is
// added: what each pixel sees is gathered, and multiplied with the weights as they are. LibTorch's
// convolutions reorder them first, which takes as long as the rest here.
at::Tensor gathered_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual);

}  // namespace karlo::nets::cpu
