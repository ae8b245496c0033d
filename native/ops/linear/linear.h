#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace karlo::nets {

// x W^T + bias, of the last dimension. In a graph this is one operator, karlo::linear. Where x has
// few rows, the time of it is that of reading W: on the CPU a kernel of its own then does that as
// fast as the memory gives it.
// @param weight [out, in] @param bias [out]
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias);

// Tells LibTorch of the operator, once a process: before a graph that has it is traced or loaded.
void register_linear();

}  // namespace karlo::nets
