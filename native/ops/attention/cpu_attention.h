#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace karlo::nets::cpu {

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

// Throws where they do not fit each other: a TorchScript file may hand on anything.
void check_sizes(const AttentionInput& input);

// What is added to the logits of each picture's keys, those of the context first: [B,
// padded(keys)].
std::vector<float> biases_of(const AttentionInput& input, int64_t keys);

// Whether the kernel below is for these: float32 and narrow, as with res_block.
bool can_run(const AttentionInput& input);

// Norm, projections, attention and output as matrix products of the direct convolution.
at::Tensor context_attention(const AttentionInput& input);

}  // namespace karlo::nets::cpu
