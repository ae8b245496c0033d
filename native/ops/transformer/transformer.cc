#include "ops/transformer/transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/sigmoid.h>

#include "ops/attention/attention.h"
#include "ops/linear/linear.h"
#include "ops/operator.h"
#include "ops/transformer/cpu_transformer.h"

namespace karlo::ops {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

// `activation` is an Activation.
constexpr char kSchema[] =
    "transformer_block(Tensor x, Tensor? keys, Tensor? values, Tensor? bias, bool causal, "
    "Tensor[] weights, int heads, float eps, int activation) -> Tensor";

at::Tensor activate(const at::Tensor& x, Activation activation) {
  return activation == Activation::kGelu ? at::gelu(x) : x * at::sigmoid(x * 1.702);
}

at::Tensor composed(const at::Tensor& x, const OptionalTensor& keys, const OptionalTensor& values,
                    const OptionalTensor& bias, bool causal, at::TensorList w, int64_t heads,
                    double eps, int64_t activation) {
  const auto norm = [&](const at::Tensor& from, int64_t i) {
    return at::layer_norm(from, {w[i].size(0)}, w[i], w[i + 1], eps);
  };
  const at::Tensor h = norm(x, 0);
  const at::Tensor q = split_heads(ops::linear(h, w[2], w[3]), heads);
  at::Tensor k = split_heads(ops::linear(h, w[4], w[5]), heads);
  at::Tensor v = split_heads(ops::linear(h, w[6], w[7]), heads);
  if (keys) k = at::cat({*keys, k}, 2);
  if (values) v = at::cat({*values, v}, 2);
  const at::Tensor attended = causal ? attend_causally(q, k, v) : attend(q, k, v, bias);
  const at::Tensor y = x + ops::linear(merge_heads(attended), w[8], w[9]);
  const at::Tensor hidden = ops::linear(norm(y, 10), w[12], w[13]);
  return y + ops::linear(activate(hidden, static_cast<Activation>(activation)), w[14], w[15]);
}

at::Tensor on_cpu(const at::Tensor& x, const OptionalTensor& keys, const OptionalTensor& values,
                  const OptionalTensor& bias, bool causal, at::TensorList weights, int64_t heads,
                  double eps, int64_t activation) {
  const cpu::TransformerInput input{x,   {keys, values, bias, causal},       weights, heads,
                                    eps, static_cast<Activation>(activation)};
  cpu::check_sizes(input);
  return kernels_allowed() && cpu::can_use_narrow_transformer(input)
             ? cpu::narrow_transformer(input)
             : composed(x, keys, values, bias, causal, weights, heads, eps, activation);
}

at::Tensor on_meta(const at::Tensor& x, const OptionalTensor&, const OptionalTensor&,
                   const OptionalTensor&, bool, at::TensorList, int64_t, double, int64_t) {
  return x.new_empty(x.sizes());
}

const auto& op() {
  static const auto op =
      define_operator("transformer_block", kSchema,
                      {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                       torch::CppFunction(TORCH_FN(on_meta))})
          .typed<decltype(composed)>();
  return op;
}

}  // namespace

at::Tensor transformer_block(const at::Tensor& x, const Attended& attended, at::TensorList weights,
                             int64_t heads, double eps, Activation activation) {
  return op().call(x, attended.keys, attended.values, attended.bias, attended.causal, weights,
                   heads, eps, static_cast<int64_t>(activation));
}

void register_transformer_block() { op(); }

}  // namespace karlo::ops
