#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "nets/clip_transformer.h"
#include "nets/config.h"

namespace karlo::nets {

struct ClipVisionSizes {
  ClipSizes transformer;
  int64_t channels;  // num_channels
  int64_t image;     // image_size, pixels a side
  int64_t patch;     // patch_size, pixels a side

  explicit ClipVisionSizes(const ConfigReader& config);
};

// CLIP's image encoder with its projection: a Vision Transformer (Dosovitskiy et al. 2021).
struct ClipVision {
  ClipVisionSizes sizes;
  at::Tensor class_embedding;  // [width]
  at::Tensor patch_embedding;  // [width, channels, patch, patch]
  Embedding position_embedding;
  LayerNorm pre_layernorm;
  ClipTransformer encoder;
  LayerNorm post_layernorm;
  Linear visual_projection;

  ClipVision(const Scope& scope, const ClipVisionSizes& sizes);

  // pixel_values [B, channels, image, image], normalised -> [B, projection]
  at::Tensor forward(const at::Tensor& pixel_values) const;
};

}  // namespace karlo::nets
