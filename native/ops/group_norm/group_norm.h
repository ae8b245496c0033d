#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace karlo::ops {

// The conditioning that a UNet applies around a group norm. Each tensor is [B, C], or absent.
struct Modulation {
  std::optional<at::Tensor> offset;  // added before the norm
  std::optional<at::Tensor> scale;   // after the norm: y * (scale + 1)
  std::optional<at::Tensor> shift;   // then: + shift
};

// karlo::group_norm: group normalization of [B, C, H, W] (Wu & He 2018) with a modulation, followed
// by SiLU if `silu`. The CPU kernel reads the memory twice, in channels-last order, and computes in
// float32 for every dtype.
at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, const Modulation& modulation, bool silu);

void register_group_norm();

}  // namespace karlo::ops
