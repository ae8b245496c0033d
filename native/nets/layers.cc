#include "nets/layers.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sin.h>

#include <cmath>

#include "ops/linear/linear.h"

namespace karlo::nets {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias)
    : weight(scope.tensor("weight", {out, in})) {
  if (with_bias) bias = scope.tensor("bias", {out});
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return ops::linear(x, weight, bias.defined() ? std::make_optional(bias) : std::nullopt);
}

at::Tensor concat_outputs(const std::vector<Linear>& layers, const at::Tensor& x) {
  std::vector<at::Tensor> parts;
  parts.reserve(layers.size());
  for (const Linear& layer : layers) parts.push_back(layer(x));
  return at::cat(parts, -1);
}

Conv2d::Conv2d(const Scope& scope, int64_t in, int64_t out, int64_t kernel)
    : weight(scope.tensor("weight", {out, in, kernel, kernel})),
      bias(scope.tensor("bias", {out})) {}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  const int64_t padding = (weight.size(2) - 1) / 2;  // the size of a parameter may be a constant
  return at::conv2d(x, weight, bias, /*stride=*/1, padding);
}

GroupNorm::GroupNorm(const Scope& scope, int64_t channels, int64_t groups, double eps)
    : weight(scope.tensor("weight", {channels})),
      bias(scope.tensor("bias", {channels})),
      groups(groups),
      eps(eps) {}

at::Tensor GroupNorm::then_silu(const at::Tensor& x) const {
  return ops::group_norm(x, groups, weight, bias, eps, /*modulation=*/{}, /*silu=*/true);
}

LayerNorm::LayerNorm(const Scope& scope, int64_t width, double eps)
    : weight(scope.tensor("weight", {width})),
      bias(scope.tensor("bias", {width})),
      width(width),
      eps(eps) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {width}, weight, bias, eps);
}

Embedding::Embedding(const Scope& scope, int64_t count, int64_t width)
    : weight(scope.tensor("weight", {count, width})) {}

at::Tensor Embedding::operator()(const at::Tensor& ids) const { return at::embedding(weight, ids); }

at::Tensor SinusoidalEmbedding::operator()(const at::Tensor& t) const {
  const int64_t half = width / 2;
  // 0, 1, ..., half - 1 on the device of t: arange would record the device in the graph.
  const at::Tensor index = t.new_ones({half}).cumsum(0).sub(1).to(at::kFloat);
  const at::Tensor frequencies = at::exp(index * -std::log(10000.0) / (half - shift));
  const at::Tensor angles = t.reshape({-1, 1}).to(at::kFloat) * frequencies;
  const at::Tensor sine = at::sin(angles), cosine = at::cos(angles);
  const at::Tensor embedding =
      cosine_first ? at::cat({cosine, sine}, -1) : at::cat({sine, cosine}, -1);
  return width % 2 == 0 ? embedding : at::constant_pad_nd(embedding, {0, 1});
}

TimeEmbedding::TimeEmbedding(const Scope& scope, SinusoidalEmbedding sinusoidal, int64_t hidden,
                             int64_t out)
    : sinusoidal(sinusoidal),
      linear_1(scope["linear_1"], sinusoidal.width, hidden),
      linear_2(scope["linear_2"], hidden, out) {}

at::Tensor TimeEmbedding::operator()(const at::Tensor& t) const {
  return linear_2(at::silu(linear_1(sinusoidal(t).type_as(linear_1.weight))));
}

}  // namespace karlo::nets
