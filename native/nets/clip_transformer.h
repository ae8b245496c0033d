#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nets/config.h"
#include "nets/layers.h"
#include "ops/transformer/transformer.h"

// The transformer of CLIP's two encoders (Radford et al. 2021).
namespace karlo::nets {

struct ClipSizes {
  int64_t width;                                             // hidden_size
  int64_t mlp_width;                                         // intermediate_size
  int64_t layers;                                            // num_hidden_layers
  int64_t heads;                                             // num_attention_heads
  int64_t projection;                                        // projection_dim
  double eps;                                                // layer_norm_eps
  ops::Activation activation = ops::Activation::kQuickGelu;  // hidden_act

  // Absent keys have the values of `defaults`. Throws for configs that are not supported.
  static ClipSizes read(const ConfigReader& config, const ClipSizes& defaults);
};

enum class Attention { kFull, kCausal };

// Attention and an MLP, each with a LayerNorm before it and a residual connection around it.
struct ClipLayer {
  LayerNorm layer_norm1;
  Linear q_proj, k_proj, v_proj, out_proj;
  LayerNorm layer_norm2;
  Linear fc1, fc2;
  int64_t heads;
  ops::Activation activation;

  ClipLayer(const Scope& scope, const ClipSizes& sizes);
  at::Tensor operator()(const at::Tensor& x, Attention attention) const;
};

struct ClipTransformer {
  std::vector<ClipLayer> layers;

  ClipTransformer(const Scope& scope, const ClipSizes& sizes);
  at::Tensor operator()(at::Tensor x, Attention attention) const;  // [B, n, width]
};

}  // namespace karlo::nets
