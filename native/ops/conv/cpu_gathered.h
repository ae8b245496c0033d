#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "ops/conv/cpu_activations.h"

namespace karlo::nets::cpu {

// Norm, SiLU, halving and a 3x3 convolution of wide layers and few pixels, to which `residual` is
// added: what each pixel sees is gathered, and multiplied with the weights as they lie. LibTorch's
// convolutions reorder all of them first, which takes as long as the rest here.
at::Tensor gathered_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual);

// rows [n, in] times weight [out, in] and bias as a 1x1 convolution: [n, out].
at::Tensor product_by_convolution(const at::Tensor& rows, const at::Tensor& weight,
                                  const std::optional<at::Tensor>& bias);

}  // namespace karlo::nets::cpu
