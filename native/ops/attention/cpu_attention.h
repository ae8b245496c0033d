#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace karlo::ops::cpu {

// The bias that excludes the columns that pad the keys to whole vectors.
constexpr float kPaddingBias = -1e30f;

// The arguments of karlo::context_attention.
struct AttentionInput {
  const at::Tensor& x;
  const at::Tensor& cache;
  int64_t cache_start;
  const at::Tensor& bias;
  at::TensorList weights;
  int64_t groups;
  double eps;
  int64_t heads;
};

// Throws if the arguments do not fit each other: a TorchScript file may pass any tensors.
void check_sizes(const AttentionInput& input);

// The bias of the logits for each image's keys, the context's first: [B, padded(keys)].
std::vector<float> key_biases(const AttentionInput& input, int64_t keys);

// For float32 and narrow layers, like narrow_res_block().
bool can_use_narrow_attention(const AttentionInput& input);

// Norm, projections, attention and output as direct convolutions with a single tap.
at::Tensor narrow_attention(const AttentionInput& input);

// For bfloat16 if prefers_bf16_dot().
bool can_use_bf16_attention(const AttentionInput& input);

// All matrix products in bfloat16, logits and softmax in float32. A group of queries is computed
// with all keys at once, so that its logits stay in a core's cache.
at::Tensor bf16_attention(const AttentionInput& input);

}  // namespace karlo::ops::cpu
