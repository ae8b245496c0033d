#include "ops/attention/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros_like.h>

#include "ops/attention/cpu_attention.h"
#include "ops/group_norm/group_norm.h"
#include "ops/linear/linear.h"
#include "ops/operator.h"

namespace karlo::ops {
namespace {

constexpr char kSchema[] =
    "context_attention(Tensor x, Tensor cache, int cache_start, Tensor bias, Tensor[] weights, "
    "int groups, float eps, int heads) -> Tensor";

// The context's bias, followed by zeros for the pixels: [B, 1, 1, n + H * W].
at::Tensor joint_bias(const at::Tensor& context_bias, const at::Tensor& pixels) {
  const at::Tensor zeros = at::zeros_like(pixels.narrow(2, 0, 1)).transpose(1, 2);
  return at::cat({context_bias, zeros.unsqueeze(1)}, -1);
}

at::Tensor composed(const at::Tensor& x, const at::Tensor& cache, int64_t cache_start,
                    const at::Tensor& bias, at::TensorList w, int64_t groups, double eps,
                    int64_t heads) {
  const int64_t width = w[2].size(0);
  const at::Tensor pixels = group_norm(x, groups, w[0], w[1], eps, {}, /*silu=*/false)
                                .flatten(2)
                                .transpose(1, 2);  // [B, H * W, C]
  const at::Tensor q = ops::linear(pixels, w[2], w[3]);
  const at::Tensor k =
      at::cat({cache.narrow(2, cache_start, width), ops::linear(pixels, w[4], w[5])}, 1);
  const at::Tensor v =
      at::cat({cache.narrow(2, cache_start + width, width), ops::linear(pixels, w[6], w[7])}, 1);
  const at::Tensor attended = attend(split_heads(q, heads), split_heads(k, heads),
                                     split_heads(v, heads), joint_bias(bias, pixels));
  return ops::linear(merge_heads(attended), w[8], w[9]).transpose(1, 2).reshape_as(x) + x;
}

at::Tensor on_cpu(const at::Tensor& x, const at::Tensor& cache, int64_t cache_start,
                  const at::Tensor& bias, at::TensorList weights, int64_t groups, double eps,
                  int64_t heads) {
  const cpu::AttentionInput input{x, cache, cache_start, bias, weights, groups, eps, heads};
  cpu::check_sizes(input);
  if (!kernels_allowed()) return composed(x, cache, cache_start, bias, weights, groups, eps, heads);
  if (cpu::can_use_narrow_attention(input)) return cpu::narrow_attention(input);
  if (cpu::can_use_bf16_attention(input)) return cpu::bf16_attention(input);
  return composed(x, cache, cache_start, bias, weights, groups, eps, heads);
}

at::Tensor on_meta(const at::Tensor& x, const at::Tensor&, int64_t, const at::Tensor&,
                   at::TensorList, int64_t, double, int64_t) {
  return x.new_empty(x.sizes());
}

const auto& op() {
  static const auto op =
      define_operator("context_attention", kSchema,
                      {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                       torch::CppFunction(TORCH_FN(on_meta))})
          .typed<decltype(composed)>();
  return op;
}

}  // namespace

at::Tensor split_heads(const at::Tensor& x, int64_t heads) {
  return x.unflatten(-1, {heads, -1}).transpose(1, 2);
}

at::Tensor merge_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const std::optional<at::Tensor>& bias) {
  return at::scaled_dot_product_attention(q, k, v, bias);
}

at::Tensor attend_causally(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return at::scaled_dot_product_attention(q, k, v, {}, /*dropout_p=*/0.0, /*is_causal=*/true);
}

at::Tensor mask_bias(const at::Tensor& mask, const at::Tensor& like) {
  return ((mask.type_as(like) - 1) * -kMaskedBias).unsqueeze(1).unsqueeze(1);
}

at::Tensor context_attention(const at::Tensor& x, const at::Tensor& cache, int64_t cache_start,
                             const at::Tensor& bias, at::TensorList weights, int64_t groups,
                             double eps, int64_t heads) {
  return op().call(x, cache, cache_start, bias, weights, groups, eps, heads);
}

void register_context_attention() { op(); }

}  // namespace karlo::ops
