#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nets/config.h"
#include "nets/layers.h"

// The transformer that CLIP's two encoders share (Radford et al. 2021).
namespace karlo::nets {

struct ClipSizes {
  int64_t width;       // hidden_size
  int64_t inner;       // intermediate_size
  int64_t layers;      // num_hidden_layers
  int64_t heads;       // num_attention_heads
  int64_t projection;  // projection_dim
  double eps;          // layer_norm_eps

  // Refuses what these layers do not compute; `defaults` stand for absent keys.
  static ClipSizes read(const ConfigReader& config, const ClipSizes& defaults);
};

enum class Attending { kEverywhere, kBackwards };

// Attention and a quick-GELU MLP, each after a LayerNorm and beside a skip connection.
struct ClipLayer {
  LayerNorm layer_norm1;
  Linear q_proj, k_proj, v_proj, out_proj;
  LayerNorm layer_norm2;
  Linear fc1, fc2;
  int64_t heads;

  ClipLayer(const Scope& scope, const ClipSizes& sizes);
  at::Tensor operator()(const at::Tensor& x, Attending attending) const;

 private:
  at::Tensor self_attention(const at::Tensor& x, Attending attending) const;
  at::Tensor mlp(const at::Tensor& x) const;
};

struct ClipTransformer {
  std::vector<ClipLayer> layers;

  ClipTransformer(const Scope& scope, const ClipSizes& sizes);
  at::Tensor operator()(at::Tensor x, Attending attending) const;  // [B, n, width]
};

}  // namespace karlo::nets
