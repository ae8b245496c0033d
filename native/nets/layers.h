#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nets/scope.h"
#include "ops/group_norm/group_norm.h"

// The layers of the networks. None of them reads a size from a tensor at run time, names a device
// or fixes the network's dtype: a trace would record such a value as a constant.
namespace karlo::nets {

struct Linear {
  at::Tensor weight, bias;  // [out, in], [out]

  Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias = true);
  at::Tensor operator()(const at::Tensor& x) const;
};

// The outputs of several layers for the same x, concatenated along the last dimension.
at::Tensor concat_outputs(const std::vector<Linear>& layers, const at::Tensor& x);

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
  at::Tensor then_silu(const at::Tensor& x) const;  // the norm, followed by SiLU
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

// The sinusoidal embedding of timesteps: Vaswani et al. 2017, section 3.5, with the period 10 000.
struct SinusoidalEmbedding {
  int64_t width;
  bool cosine_first = true;  // flip_sin_to_cos
  double shift = 0;          // freq_shift

  // t: int64 [n] or a scalar -> float32 [n or 1, width].
  at::Tensor operator()(const at::Tensor& t) const;
};

// SinusoidalEmbedding, Linear, SiLU, Linear.
struct TimeEmbedding {
  SinusoidalEmbedding sinusoidal;
  Linear linear_1, linear_2;

  TimeEmbedding(const Scope& scope, SinusoidalEmbedding sinusoidal, int64_t hidden, int64_t out);
  at::Tensor operator()(const at::Tensor& t) const;
};

}  // namespace karlo::nets
