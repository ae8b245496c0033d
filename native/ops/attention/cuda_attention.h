#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "cuda/program.h"

namespace karlo::ops::cuda {

constexpr char kAttentionFile[] = "ops/attention/cuda.cu";

// A few tokens that attend to cached ones and to themselves. All are [B, heads, rows, d].
struct CachedAttention {
  const at::Tensor& q;
  const at::Tensor& k;
  const at::Tensor& v;
  std::optional<at::Tensor> cached_keys, cached_values;
  std::optional<at::Tensor> bias;  // of the logits, [B or 1, 1, rows, cached rows + rows]
};

// Whether the kernel can read the arguments, and is for so few rows and keys.
bool can_use_cached_attention(const CachedAttention& input);

// Softmax(q k^T / sqrt(d) + bias) v, in float32 for every dtype.
// @param program of kAttentionFile
// @return [B, rows, heads * d]
at::Tensor cached_attention(const karlo::cuda::Program& program, const CachedAttention& input);

}  // namespace karlo::ops::cuda
