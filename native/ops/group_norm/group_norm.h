#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace karlo::nets {

// What a UNet does in front of a convolution, beside the norm itself. Each is [B, C], or none.
struct Modulation {
  std::optional<at::Tensor> offset;  // added before the norm
  std::optional<at::Tensor> scale;   // after it: y * (scale + 1)
  std::optional<at::Tensor> shift;   // and + shift
};

// Group normalisation of [B, C, H, W] (Wu & He 2018) with a modulation, and SiLU after it where
// `silu` says so. In a graph this is one operator, karlo::group_norm. On the CPU it goes over the
// memory twice, channels last, and computes in float32 whatever the dtype; elsewhere LibTorch's own
// operators do it.
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, const Modulation& modulation, bool silu);

// Tells LibTorch of the operator, once a process: before a graph that has it is traced or loaded.
void register_group_norm();

}  // namespace karlo::nets
