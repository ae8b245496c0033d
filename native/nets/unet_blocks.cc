#include "nets/unet_blocks.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros_like.h>

namespace karlo::nets {
namespace {

at::Tensor joined(const std::vector<Linear>& layers, const at::Tensor& x) {
  std::vector<at::Tensor> parts;
  parts.reserve(layers.size());
  for (const Linear& layer : layers) parts.push_back(layer(x));
  return at::cat(parts, -1);
}

at::Tensor resampled(const at::Tensor& x, Resample resample) {
  if (resample == Resample::kDown) return at::avg_pool2d(x, {2, 2}, {2, 2});
  if (resample == Resample::kUp) {
    return at::upsample_nearest2d(x, /*output_size=*/at::OptionalIntArrayRef(),
                                  std::vector<double>{2.0, 2.0});
  }
  return x;
}

// The context's bias, and none for the pixels: [B, 1, 1, n + H * W].
at::Tensor joint_bias(const at::Tensor& context_bias, const at::Tensor& pixels) {
  const at::Tensor none = at::zeros_like(pixels.narrow(2, 0, 1)).transpose(1, 2);
  return at::cat({context_bias, none.unsqueeze(1)}, -1);
}

}  // namespace

at::Tensor Slice::of(const at::Tensor& all) const { return all.narrow(-1, start, length); }

Slice TimeProjections::add(const Scope& scope, int64_t in, int64_t out) {
  layers_.emplace_back(scope, in, out);
  width_ += out;
  return {width_ - out, out};
}

at::Tensor TimeProjections::operator()(const at::Tensor& embedding) const {
  return joined(layers_, at::silu(embedding));
}

std::pair<Slice, Slice> ContextProjections::add(const Scope& scope, int64_t context_width,
                                                int64_t width) {
  layers_.emplace_back(scope["add_k_proj"], context_width, width);
  layers_.emplace_back(scope["add_v_proj"], context_width, width);
  width_ += 2 * width;
  return {{width_ - 2 * width, width}, {width_ - width, width}};
}

at::Tensor ContextProjections::operator()(const at::Tensor& context) const {
  return joined(layers_, context);
}

ResBlock::ResBlock(const Scope& scope, int64_t in, int64_t out, const ResBlockOptions& options,
                   TimeProjections& times, Resample resample)
    : norm1(scope["norm1"], in, options.groups, options.eps),
      conv1(scope["conv1"], in, out, 3),
      time(times.add(scope["time_emb_proj"], options.time_width,
                     options.scale_shift ? 2 * out : out)),
      norm2(scope["norm2"], out, options.groups, options.eps),
      conv2(scope["conv2"], out, out, 3),
      resample(resample),
      scale_shift(options.scale_shift) {
  if (in != out) shortcut.emplace(scope["conv_shortcut"], in, out, 1);
}

at::Tensor ResBlock::operator()(const at::Tensor& x, const at::Tensor& times) const {
  at::Tensor h = conv1(resampled(norm1.then_silu(x), resample));
  h = conv2(norm2.then_silu(h, modulation(time.of(times))));
  const at::Tensor skipped = resampled(x, resample);
  return (shortcut ? (*shortcut)(skipped) : skipped) + h;
}

Modulation ResBlock::modulation(const at::Tensor& time) const {
  if (!scale_shift) return {time, std::nullopt, std::nullopt};
  const auto parts = time.chunk(2, 1);
  return {std::nullopt, parts[0], parts[1]};
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
  const at::Tensor pixels = norm(x).flatten(2).transpose(1, 2);  // [B, H * W, C]
  const at::Tensor k = at::cat({context.first.of(prompt.cache), to_k(pixels)}, 1);
  const at::Tensor v = at::cat({context.second.of(prompt.cache), to_v(pixels)}, 1);
  const at::Tensor attended = attend(split_heads(to_q(pixels), heads), split_heads(k, heads),
                                     split_heads(v, heads), joint_bias(prompt.bias, pixels));
  return to_out(merge_heads(attended)).transpose(1, 2).reshape_as(x) + x;
}

}  // namespace karlo::nets
