#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "ops/conv/cpu_activations.h"

namespace karlo::nets::cpu {

// Whether there are enough pixels for the transformed weights to pay.
bool suits_winograd(const Activations& input);

// Norm, SiLU, resampling and a 3x3 convolution of wide layers, to which `residual` is added. It is
// Winograd's F(2x2, 3x3) (Lavin & Gray 2016): 16 multiplications for four pixels instead of 36, and
// of a picture that was doubled just 9. A strip at a time; in float32 whatever the dtype, but for
// the components of bfloat16 where the processor is fast at multiplying them. The transformed
// weights are up to four times as large as the weights themselves: they are made anew each time,
// which costs less than the memory would.
at::Tensor winograd(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& residual);

}  // namespace karlo::nets::cpu
