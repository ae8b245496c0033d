#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace karlo::ops {

// Of the MLP.
enum class Activation { kGelu, kQuickGelu };

// What a transformer block attends to besides its own tokens, and how.
struct Attended {
  std::optional<at::Tensor> keys, values;  // of earlier tokens, [B, heads, n, d]
  std::optional<at::Tensor> bias;          // of the logits, [B or 1, 1, tokens, n + tokens]
  bool causal = false;                     // without earlier tokens and bias only
};

// karlo::transformer_block: self-attention and an MLP, each with a LayerNorm before it and a
// residual connection around it (Vaswani et al. 2017, with the norms of Xiong et al. 2020).
// @param x [B, tokens, C]
// @param weights weight and bias of the first norm, of queries, keys, values and the output
// projection, of the second norm, and of both layers of the MLP
// @return [B, tokens, C]
at::Tensor transformer_block(const at::Tensor& x, const Attended& attended, at::TensorList weights,
                             int64_t heads, double eps, Activation activation);

void register_transformer_block();

}  // namespace karlo::ops
