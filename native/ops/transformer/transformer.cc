#include "ops/transformer/transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/sigmoid.h>

#include "cuda/program.h"
#include "ops/attention/attention.h"
#include "ops/attention/cuda_attention.h"
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

// @param attend (q, k, v of the block's tokens, [B, heads, tokens, d]) -> [B, tokens, C]
template <class Attend>
at::Tensor block(const at::Tensor& x, at::TensorList w, int64_t heads, double eps,
                 Activation activation, const Attend& attend) {
  const auto norm = [&](const at::Tensor& from, int64_t i) {
    return at::layer_norm(from, {w[i].size(0)}, w[i], w[i + 1], eps);
  };
  const at::Tensor h = norm(x, 0);
  const at::Tensor attended = attend(split_heads(ops::linear(h, w[2], w[3]), heads),
                                     split_heads(ops::linear(h, w[4], w[5]), heads),
                                     split_heads(ops::linear(h, w[6], w[7]), heads));
  const at::Tensor y = x + ops::linear(attended, w[8], w[9]);
  const at::Tensor hidden = ops::linear(norm(y, 10), w[12], w[13]);
  return y + ops::linear(activate(hidden, activation), w[14], w[15]);
}

// The attention of block(), composed of LibTorch's operators.
at::Tensor attend_to(const Attended& to, const at::Tensor& q, const at::Tensor& k,
                     const at::Tensor& v) {
  const at::Tensor keys = to.keys ? at::cat({*to.keys, k}, 2) : k;
  const at::Tensor values = to.values ? at::cat({*to.values, v}, 2) : v;
  return merge_heads(to.causal ? attend_causally(q, keys, values)
                               : attend(q, keys, values, to.bias));
}

at::Tensor composed(const at::Tensor& x, const OptionalTensor& keys, const OptionalTensor& values,
                    const OptionalTensor& bias, bool causal, at::TensorList weights, int64_t heads,
                    double eps, int64_t activation) {
  const Attended attended{keys, values, bias, causal};
  return block(x, weights, heads, eps, static_cast<Activation>(activation),
               [&](const auto&... qkv) { return attend_to(attended, qkv...); });
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

at::Tensor on_cuda(const at::Tensor& x, const OptionalTensor& keys, const OptionalTensor& values,
                   const OptionalTensor& bias, bool causal, at::TensorList weights, int64_t heads,
                   double eps, int64_t activation) {
  const Attended attended{keys, values, bias, causal};
  const auto attend = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const cuda::CachedAttention input{q, k, v, keys, values, bias};
    const auto* program = kernels_allowed() && !causal && cuda::can_use_cached_attention(input)
                              ? karlo::cuda::find_program(cuda::kAttentionFile, q)
                              : nullptr;
    return program == nullptr ? attend_to(attended, q, k, v)
                              : cuda::cached_attention(*program, input);
  };
  return block(x, weights, heads, eps, static_cast<Activation>(activation), attend);
}

at::Tensor on_meta(const at::Tensor& x, const OptionalTensor&, const OptionalTensor&,
                   const OptionalTensor&, bool, at::TensorList, int64_t, double, int64_t) {
  return x.new_empty(x.sizes());
}

const auto& op() {
  static const auto op =
      define_operator(
          "transformer_block", kSchema,
          {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
           torch::CppFunction(TORCH_FN(on_meta)), torch::CppFunction(TORCH_FN(on_cuda))})
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
