#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/transformer/transformer.h"

namespace karlo::ops::cpu {

// The arguments of karlo::transformer_block.
struct TransformerInput {
  const at::Tensor& x;
  Attended attended;
  at::TensorList weights;
  int64_t heads;
  double eps;
  Activation activation;
};

// Throws if the arguments do not fit each other: a TorchScript file may pass any tensors.
void check_sizes(const TransformerInput& input);

// For float32 and narrow layers, like narrow_res_block().
bool can_use_narrow_transformer(const TransformerInput& input);

// The whole block for one image or prompt at a time, whose intermediate results stay in the cache.
// Matrix products are direct convolutions with a single tap.
at::Tensor narrow_transformer(const TransformerInput& input);

}  // namespace karlo::ops::cpu
