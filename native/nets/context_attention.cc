#include "nets/context_attention.h"

#include "ops/attention/attention.h"

namespace karlo::nets {

Slice ContextProjections::add(const Scope& scope, int64_t context_width, int64_t width) {
  layers_.emplace_back(scope["add_k_proj"], context_width, width);
  layers_.emplace_back(scope["add_v_proj"], context_width, width);
  width_ += 2 * width;
  return {width_ - 2 * width, 2 * width};
}

at::Tensor ContextProjections::operator()(const at::Tensor& context) const {
  return concat_outputs(layers_, context);
}

// The eps of this norm is always 1e-5: diffusers does not pass norm_eps on.
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
  const std::vector<at::Tensor> weights{norm.weight,   norm.bias,  to_q.weight, to_q.bias,
                                        to_k.weight,   to_k.bias,  to_v.weight, to_v.bias,
                                        to_out.weight, to_out.bias};
  return ops::context_attention(x, prompt.cache, context.start, prompt.bias, weights, norm.groups,
                                norm.eps, heads);
}

}  // namespace karlo::nets
