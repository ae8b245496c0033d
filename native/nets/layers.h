#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nets/scope.h"
#include "ops/group_norm/group_norm.h"

// The layers that the networks are made of. None of them reads a size from a tensor at run time,
// names a device or fixes the network's dtype: a trace would keep such a value as a constant.
namespace karlo::nets {

struct Linear {
  at::Tensor weight, bias;  // [out, in], [out]

  Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias = true);
  at::Tensor operator()(const at::Tensor& x) const;
};

// What several layers make of x, along the last dimension.
at::Tensor side_by_side(const std::vector<Linear>& layers, const at::Tensor& x);

// Stride 1 and "same" padding.
struct Conv2d {
  at::Tensor weight, bias;  // [out, in, kernel, kernel], [out]

  Conv2d(const Scope& scope, int64_t in, int64_t out, int64_t kernel);
  at::Tensor operator()(const at::Tensor& x) const;
};

struct GroupNorm {
  at::Tensor weight, bias;  // [channels]
  int64_t groups;
  double eps;

  GroupNorm(const Scope& scope, int64_t channels, int64_t groups, double eps);
  at::Tensor operator()(const at::Tensor& x) const;
  // The norm, what a modulation does to it, and SiLU.
  at::Tensor then_silu(const at::Tensor& x, const Modulation& modulation = {}) const;
};

struct LayerNorm {
  at::Tensor weight, bias;  // [width]
  int64_t width;
  double eps;

  LayerNorm(const Scope& scope, int64_t width, double eps = 1e-5);
  at::Tensor operator()(const at::Tensor& x) const;
};

struct Embedding {
  at::Tensor weight;  // [count, width]

  Embedding(const Scope& scope, int64_t count, int64_t width);
  at::Tensor operator()(const at::Tensor& ids) const;
};

// How a time step becomes waves: Vaswani et al. 2017, section 3.5, with the period 10 000.
struct Sinusoid {
  int64_t width;
  bool cosine_first = true;  // flip_sin_to_cos
  double shift = 0;          // freq_shift

  // t: int64 [n] or a scalar -> float32 [n or 1, width].
  at::Tensor operator()(const at::Tensor& t) const;
};

// Sinusoid, Linear, SiLU, Linear.
struct TimeEmbedding {
  Sinusoid sinusoid;
  Linear linear_1, linear_2;

  TimeEmbedding(const Scope& scope, Sinusoid sinusoid, int64_t hidden, int64_t out);
  at::Tensor operator()(const at::Tensor& t) const;
};

// [B, n, heads * d] <-> [B, heads, n, d]
at::Tensor split_heads(const at::Tensor& x, int64_t heads);
at::Tensor merge_heads(const at::Tensor& x);

// Softmax(q k^T / sqrt(d) + bias) v over [B, heads, n, d].
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const std::optional<at::Tensor>& bias);
at::Tensor attend_causally(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// What is added to the attention logits of a key that is masked out. A finite number, as both
// published implementations have it: a row that has no key left then averages instead of becoming
// NaN.
constexpr double kMasked = -10000.0;

// mask [B, n], true or 1 where a token counts -> bias [B, 1, 1, n] in the dtype of `like`.
at::Tensor mask_bias(const at::Tensor& mask, const at::Tensor& like);

}  // namespace karlo::nets
