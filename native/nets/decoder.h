#pragma once

#include <ATen/core/Tensor.h>

#include "nets/config.h"
#include "nets/unet.h"

namespace karlo::nets {

UNetSizes decoder_sizes(const ConfigReader& config);

// The decoder (Ramesh et al. 2022, section 2.1): a U-Net that predicts the noise in x_t and the
// variance's interpolation (Nichol & Dhariwal 2021, eq. 15) under what TextProj makes of a prompt
// and an image embedding.
struct Decoder {
  UNet unet;

  Decoder(const Scope& scope, const UNetSizes& sizes) : unet(scope, sizes) {}

  // x [B, 3, H, W], t int64 [B] or a scalar, context [B, n, C], mask [B, n], class_labels [B, T]
  // -> [B, 6, H, W] in the dtype of x
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& context,
                     const at::Tensor& mask, const at::Tensor& class_labels) const;

  // What stays the same for a prompt ...
  Context condition(const at::Tensor& context, const at::Tensor& mask) const;
  // ... and a step with it.
  at::Tensor step(const at::Tensor& x, const at::Tensor& t, const at::Tensor& class_labels,
                  const Context& prompt) const;

  // The time's part of a whole schedule, t [S] and class_labels [B, T] -> [S, B, *], and a step
  // with one of its items [B, *].
  at::Tensor times(const at::Tensor& t, const at::Tensor& class_labels) const;
  at::Tensor step_at(const at::Tensor& x, const at::Tensor& times, const Context& prompt) const;
};

}  // namespace karlo::nets
