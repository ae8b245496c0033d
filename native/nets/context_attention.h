#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nets/layers.h"
#include "nets/res_block.h"

namespace karlo::nets {

// The keys and values of the context for all attention blocks of a network at once. They are
// constant for a prompt.
class ContextProjections {
 public:
  // Returns the slice with the keys, followed by the values.
  Slice add(const Scope& scope, int64_t context_width, int64_t width);

  // [B, n, context_width] -> [B, n, sum of 2 * width]
  at::Tensor operator()(const at::Tensor& context) const;

 private:
  std::vector<Linear> layers_;
  int64_t width_ = 0;
};

// The attention blocks' part of a prompt.
struct Context {
  at::Tensor cache;  // the ContextProjections of the context, [B, n, *]
  at::Tensor bias;   // the mask as a bias of the attention logits, [B, 1, 1, n]
};

// The parameters of ops::context_attention().
struct ContextAttention {
  GroupNorm norm;
  Linear to_q, to_k, to_v;
  Slice context;
  Linear to_out;
  int64_t heads;

  ContextAttention(const Scope& scope, int64_t channels, int64_t head_width, int64_t context_width,
                   int64_t groups, ContextProjections& contexts);

  // x [B, channels, H, W] -> the same shape
  at::Tensor operator()(const at::Tensor& x, const Context& prompt) const;
};

}  // namespace karlo::nets
