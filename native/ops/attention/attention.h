#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace karlo::ops {

// [B, n, heads * d] <-> [B, heads, n, d]
at::Tensor split_heads(const at::Tensor& x, int64_t heads);
at::Tensor merge_heads(const at::Tensor& x);

// Softmax(q k^T / sqrt(d) + bias) v over [B, heads, n, d].
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const std::optional<at::Tensor>& bias);
at::Tensor attend_causally(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// The bias of masked keys. It is finite, as in diffusers and Kakao's code: if all keys of a row are
// masked, the row is the average of the values instead of NaN.
constexpr double kMaskedBias = -10000.0;

// mask [B, n], true or 1 for tokens that count -> bias [B, 1, 1, n] in the dtype of `like`.
at::Tensor mask_bias(const at::Tensor& mask, const at::Tensor& like);

// karlo::context_attention: attention of the pixels of an image to themselves and to a context
// (Nichol et al. 2021), with a group norm before it and a residual connection around it.
// @param x [B, C, H, W] @param cache [B, n, *], which holds the context's keys from cache_start,
// followed by its values
// @param bias [B, 1, 1, n], added to the context's logits
// @param weights weight and bias of the norm, of queries, keys, values, and of the output
// projection
// @return [B, C, H, W]
at::Tensor context_attention(const at::Tensor& x, const at::Tensor& cache, int64_t cache_start,
                             const at::Tensor& bias, at::TensorList weights, int64_t groups,
                             double eps, int64_t heads);

void register_context_attention();

}  // namespace karlo::ops
