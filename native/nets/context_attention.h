#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nets/layers.h"
#include "nets/res_block.h"

namespace karlo::nets {

// The keys and values that each attention block computes from the context, for all of them at once:
// constant for a prompt.
class ContextProjections {
 public:
  // Returns the place of the keys and, behind them, the values.
  Slice add(const Scope& scope, int64_t context_width, int64_t width);

  // [B, n, context_width] -> [B, n, sum of the widths, twice]
  at::Tensor operator()(const at::Tensor& context) const;

 private:
  std::vector<Linear> layers_;
  int64_t width_ = 0;
};

// What a prompt contributes to the attention blocks.
struct Context {
  at::Tensor cache;  // ContextProjections of the context, [B, n, *]
  at::Tensor bias;   // what its mask adds to the attention logits, [B, 1, 1, n]
};

// Self-attention over the pixels whose keys and values stand behind those of the context. In a
// graph it is one operator, karlo::context_attention.
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

// Tells LibTorch of the operator, once a process: before a graph that has it is traced or loaded.
void register_context_attention();

}  // namespace karlo::nets
