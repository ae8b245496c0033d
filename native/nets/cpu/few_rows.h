#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace karlo::nets::cpu {

// Whether linear_of_few() can take these, and is the faster for it.
bool has_few_rows(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias);

// nets::linear() of a few rows, in float32 or bfloat16; summed in float32. A row's result hangs on
// no other row.
at::Tensor linear_of_few(const at::Tensor& x, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias);

}  // namespace karlo::nets::cpu
