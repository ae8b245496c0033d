#include "nets/context_attention.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros_like.h>

#include <mutex>

#include "ops/attention/cpu_attention.h"
#include "ops/attention/cpu_bf16.h"
#include "ops/group_norm/group_norm.h"
#include "ops/operator.h"

namespace karlo::nets {
namespace {

// `cache`: keys from cache_start on, and values behind them. `weights`: weight and bias of the
// norm, of queries, keys and values, and of the output.
constexpr char kSchema[] =
    "context_attention(Tensor x, Tensor cache, int cache_start, Tensor bias, Tensor[] weights, "
    "int groups, float eps, int heads) -> Tensor";

// The context's bias, and none for the pixels: [B, 1, 1, n + H * W].
at::Tensor joint_bias(const at::Tensor& context_bias, const at::Tensor& pixels) {
  const at::Tensor none = at::zeros_like(pixels.narrow(2, 0, 1)).transpose(1, 2);
  return at::cat({context_bias, none.unsqueeze(1)}, -1);
}

at::Tensor composed(const at::Tensor& x, const at::Tensor& cache, int64_t cache_start,
                    const at::Tensor& bias, at::TensorList w, int64_t groups, double eps,
                    int64_t heads) {
  const int64_t width = w[2].size(0);
  const at::Tensor pixels = group_norm(x, groups, w[0], w[1], eps, {}, /*silu=*/false)
                                .flatten(2)
                                .transpose(1, 2);  // [B, H * W, C]
  const at::Tensor q = at::linear(pixels, w[2], w[3]);
  const at::Tensor k =
      at::cat({cache.narrow(2, cache_start, width), at::linear(pixels, w[4], w[5])}, 1);
  const at::Tensor v =
      at::cat({cache.narrow(2, cache_start + width, width), at::linear(pixels, w[6], w[7])}, 1);
  const at::Tensor attended = attend(split_heads(q, heads), split_heads(k, heads),
                                     split_heads(v, heads), joint_bias(bias, pixels));
  return at::linear(merge_heads(attended), w[8], w[9]).transpose(1, 2).reshape_as(x) + x;
}

at::Tensor on_cpu(const at::Tensor& x, const at::Tensor& cache, int64_t cache_start,
                  const at::Tensor& bias, at::TensorList weights, int64_t groups, double eps,
                  int64_t heads) {
  const cpu::AttentionInput input{x, cache, cache_start, bias, weights, groups, eps, heads};
  cpu::check_sizes(input);
  if (cpu::can_run(input)) return cpu::context_attention(input);
  if (cpu::suits_wide_attention(input)) return cpu::wide_attention(input);
  return composed(x, cache, cache_start, bias, weights, groups, eps, heads);
}

// Of the right shape, for a trace.
at::Tensor on_meta(const at::Tensor& x, const at::Tensor&, int64_t, const at::Tensor&,
                   at::TensorList, int64_t, double, int64_t) {
  return x.new_empty(x.sizes());
}

}  // namespace

Slice ContextProjections::add(const Scope& scope, int64_t context_width, int64_t width) {
  layers_.emplace_back(scope["add_k_proj"], context_width, width);
  layers_.emplace_back(scope["add_v_proj"], context_width, width);
  width_ += 2 * width;
  return {width_ - 2 * width, 2 * width};
}

at::Tensor ContextProjections::operator()(const at::Tensor& context) const {
  return side_by_side(layers_, context);
}

// The norm's eps is 1e-5 here whatever norm_eps says: diffusers does not hand it on.
ContextAttention::ContextAttention(const Scope& scope, int64_t channels, int64_t head_width,
                                   int64_t context_width, int64_t groups,
                                   ContextProjections& contexts)
    : norm(scope["group_norm"], channels, groups, 1e-5),
      to_q(scope["to_q"], channels, channels),
      to_k(scope["to_k"], channels, channels),
      to_v(scope["to_v"], channels, channels),
      context(contexts.add(scope, context_width, channels)),
      to_out(scope["to_out"][0], channels, channels),
      heads(channels / head_width) {}

at::Tensor ContextAttention::operator()(const at::Tensor& x, const Context& prompt) const {
  register_context_attention();
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("karlo::context_attention", "")
                             .typed<decltype(composed)>();
  const std::vector<at::Tensor> weights{norm.weight,   norm.bias,  to_q.weight, to_q.bias,
                                        to_k.weight,   to_k.bias,  to_v.weight, to_v.bias,
                                        to_out.weight, to_out.bias};
  return op.call(x, prompt.cache, context.start, prompt.bias, weights, norm.groups, norm.eps,
                 heads);
}

void register_context_attention() {
  register_group_norm();
  static std::once_flag once;
  std::call_once(once, [] {
    define_operator("context_attention", kSchema,
                    {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                     torch::CppFunction(TORCH_FN(on_meta))});
  });
}

}  // namespace karlo::nets
