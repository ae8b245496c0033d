#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace karlo::nets::cpu {

// Whether linear() can take these, and is the faster for it.
bool suits_linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias);

// nets::linear() of a few rows, and of many in bfloat16 where the processor is fast at that; summed
// in float32. A row's result hangs on how many rows there are, and on nothing else of them.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias);

}  // namespace karlo::nets::cpu
