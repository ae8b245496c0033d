#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace karlo::ops::cpu {

// Whether linear() below supports these tensors and is the faster implementation for them.
bool can_use_linear(const at::Tensor& x, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias);

// ops::linear() for few rows, and for many in bfloat16 if prefers_bf16_dot(). Sums are float32. A
// row's result depends on the number of rows but not on their contents.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias);

}  // namespace karlo::ops::cpu
