#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace karlo::ops {

// karlo::linear: x W^T + bias over the last dimension. With few rows of x, the time is that of
// reading W: the CPU kernel for them reaches the memory's bandwidth.
// @param weight [out, in] @param bias [out]
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias);

void register_linear();

}  // namespace karlo::ops
