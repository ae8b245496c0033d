#pragma once

#include <ATen/core/Tensor.h>

#include "nets/config.h"
#include "nets/unet.h"

namespace karlo::nets {

UNetSizes super_res_sizes(const ConfigReader& config);

// One of the two super-resolution U-Nets: under the enlarged small picture it predicts the noise in
// x_t, or x_0, as the scheduler's config says.
struct SuperRes {
  UNet unet;

  SuperRes(const Scope& scope, const UNetSizes& sizes) : unet(scope, sizes) {}

  // x [B, in, H, W] (x_t, then the enlarged picture), t int64 [B] or a scalar -> [B, out, H, W] in
  // the dtype of x
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t) const;
  at::Tensor step(const at::Tensor& x, const at::Tensor& low_res, const at::Tensor& t) const;

  // The time's part of a whole schedule, t [S] -> [S, *], and a step with one of its items [1, *].
  at::Tensor times(const at::Tensor& t) const;
  at::Tensor step_at(const at::Tensor& x, const at::Tensor& low_res, const at::Tensor& times) const;
};

}  // namespace karlo::nets
