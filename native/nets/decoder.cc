// The decoder (Ramesh et al. 2022, section 2.1): a UNet that predicts the noise in x_t and the
// interpolation of the variance (Nichol & Dhariwal 2021, eq. 15), conditioned on the outputs of
// text_proj.
//
//   forward(x [B, 3, H, H], t, context [B, 81, C], context_mask [B, 81], class_labels [B, T])
//     -> [B, 6, H, H]
//   condition(context, context_mask) -> (cache [B, 81, *], bias [B, 1, 1, 81])
//   step(x, t, class_labels, cache, bias) -> [B, 6, H, H]
//   times(t [S], class_labels) -> [S, B, *]
//   step_at(x, times [B, *], cache, bias) -> [B, 6, H, H]
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "nets/registry.h"
#include "nets/unet.h"
#include "ops/attention/attention.h"

namespace karlo::nets {
namespace {

struct Decoder {
  UNet unet;

  Decoder(const Scope& scope, const UNetSizes& sizes) : unet(scope, sizes) {}

  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& context,
                     const at::Tensor& mask, const at::Tensor& class_labels) const;

  // The part that is constant for a prompt, and a step with it.
  Context condition(const at::Tensor& context, const at::Tensor& mask) const;
  at::Tensor step(const at::Tensor& x, const at::Tensor& t, const at::Tensor& class_labels,
                  const Context& prompt) const;

  // The projected time embeddings of a whole schedule, t [S] and class_labels [B, T] -> [S, B, *],
  // and a step with one of them, [B, *].
  at::Tensor times(const at::Tensor& t, const at::Tensor& class_labels) const;
  at::Tensor step_at(const at::Tensor& x, const at::Tensor& times, const Context& prompt) const;
};

// Whether a block of this type has attention. `plain` and `attending` are the two supported types.
bool attends(const ConfigReader& config, const std::string& key, const std::string& type,
             const std::string& plain, const std::string& attending) {
  if (type != plain && type != attending) {
    config.refuse(key, '"' + plain + "\" or \"" + attending + '"');
  }
  return type == attending;
}

std::vector<std::string> block_types(const ConfigReader& config, const std::string& key,
                                     size_t depth) {
  std::vector<std::string> types = config.texts(key, {});
  if (types.size() != depth) config.refuse(key, "a list of " + std::to_string(depth));
  return types;
}

bool attends_anywhere(const UNetSizes& sizes) {
  const auto attends = [](const LevelSizes& level) {
    return level.down_head_width || level.up_head_width;
  };
  return sizes.mid_head_width || std::any_of(sizes.levels.begin(), sizes.levels.end(), attends);
}

void refuse_unsupported(const ConfigReader& config) {
  config.expect("class_embed_type", {"identity"}, std::monostate{});
  config.expect_default("only_cross_attention", false);
  config.expect_default("class_embeddings_concat", false);
  config.expect_default("resnet_skip_time_act", false);
  config.expect_default("resnet_out_scale_factor", 1.0);
  config.expect_default("attention_type", "default");
  for (const char* key : {"addition_embed_type", "cross_attention_norm", "encoder_hid_dim",
                          "encoder_hid_dim_type", "num_attention_heads", "time_cond_proj_dim",
                          "time_embedding_act_fn", "timestep_post_act"}) {
    config.expect_null(key);
  }
}

UNetSizes decoder_sizes(const ConfigReader& config) {
  refuse_unsupported(config);
  UNetSizes sizes = UNetSizes::read(config);
  sizes.in = config.size("in_channels", 4);
  sizes.out = config.size("out_channels", 4);
  sizes.in_kernel = config.count("conv_in_kernel", 3);
  sizes.out_kernel = config.count("conv_out_kernel", 3);

  const size_t depth = sizes.levels.size();
  const auto down = block_types(config, "down_block_types", depth);
  const auto up = block_types(config, "up_block_types", depth);
  const auto heads = config.sizes("attention_head_dim", static_cast<int64_t>(depth), 8);
  const auto context = config.sizes("cross_attention_dim", static_cast<int64_t>(depth), 1280);
  sizes.context = context[0];
  const auto head_width = [&](size_t i, int64_t width) -> int64_t {
    if (sizes.levels[i].channels % width == 0) return width;
    config.refuse("attention_head_dim", "divisors of the channels of the blocks that attend");
  };
  for (size_t i = 0; i < depth; ++i) {
    if (context[i] != context[0]) config.refuse("cross_attention_dim", "one size for all levels");
    if (attends(config, "down_block_types", down[i], "ResnetDownsampleBlock2D",
                "SimpleCrossAttnDownBlock2D")) {
      sizes.levels[i].down_head_width = head_width(i, heads[i]);
    }
    // The block types of the upsampling path are listed from the lowest resolution. Like diffusers,
    // this reads attention_head_dim in the same order, without reversing it.
    if (attends(config, "up_block_types", up[depth - 1 - i], "ResnetUpsampleBlock2D",
                "SimpleCrossAttnUpBlock2D")) {
      sizes.levels[i].up_head_width = head_width(i, heads[depth - 1 - i]);
    }
  }
  const bool attending =
      attends(config, "mid_block_type", config.text("mid_block_type", "UNetMidBlock2DCrossAttn"),
              "UNetMidBlock2D", "UNetMidBlock2DSimpleCrossAttn");
  sizes.mid_resnets = attending ? 2 : 1;
  if (attending) {
    config.expect("mid_block_only_cross_attention", {std::monostate{}, false}, std::monostate{});
    sizes.mid_head_width = head_width(depth - 1, heads[depth - 1]);
  }
  if (!attends_anywhere(sizes)) config.refuse("mid_block_type", "attention in at least one block");
  return sizes;
}

at::Tensor Decoder::forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& context,
                            const at::Tensor& mask, const at::Tensor& class_labels) const {
  return step(x, t, class_labels, condition(context, mask));
}

Context Decoder::condition(const at::Tensor& context, const at::Tensor& mask) const {
  const at::Tensor cache = unet.project_context(context);
  return {cache, ops::mask_bias(mask, cache)};
}

at::Tensor Decoder::step(const at::Tensor& x, const at::Tensor& t, const at::Tensor& class_labels,
                         const Context& prompt) const {
  const at::Tensor embedding = unet.time_embedding(t) + unet.cast(class_labels);
  return unet(x, unet.project_times(embedding), prompt);
}

at::Tensor Decoder::times(const at::Tensor& t, const at::Tensor& class_labels) const {
  return unet.project_times(unet.time_embedding(t).unsqueeze(1) + unet.cast(class_labels));
}

at::Tensor Decoder::step_at(const at::Tensor& x, const at::Tensor& times,
                            const Context& prompt) const {
  return unet(x, unet.cast(times), prompt);
}

void record_methods(const exporting::Recorder& record, const Scope& scope,
                    const ConfigReader& config) {
  using namespace exporting;  // NOLINT
  const UNetSizes sizes = decoder_sizes(config);
  const Decoder net(scope, sizes);
  constexpr int64_t kTokens = 81;
  const Argument x{"x", example(sizes.example_shape(sizes.in))};
  const Argument context{"context", example({2, kTokens, sizes.context})};
  const Argument mask{"context_mask", example_mask(kTokens)};
  const Argument labels{"class_labels", example({2, sizes.block.time_width})};
  const Argument cache{"cache", net.condition(context.example, mask.example).cache};
  const Argument bias{"bias", example_cache({2, 1, 1, kTokens})};
  const Argument times{"times", example(net.times(example_t().example, labels.example)[0].sizes())};

  record("forward", {x, example_t(), context, mask, labels}, [&](const Tensors& in) -> Tensors {
    return {net.forward(in[0], in[1], in[2], in[3], in[4])};
  });
  record("condition", {context, mask}, [&](const Tensors& in) -> Tensors {
    const auto prompt = net.condition(in[0], in[1]);
    return {prompt.cache, prompt.bias};
  });
  record("step", {x, example_t(), labels, cache, bias}, [&](const Tensors& in) -> Tensors {
    return {net.step(in[0], in[1], in[2], {in[3], in[4]})};
  });
  record("times", {example_t(), labels},
         [&](const Tensors& in) -> Tensors { return {net.times(in[0], in[1])}; });
  record("step_at", {x, times, cache, bias},
         [&](const Tensors& in) -> Tensors { return {net.step_at(in[0], in[1], {in[2], in[3]})}; });
}

const Registration registration("decoder", record_methods);

}  // namespace
}  // namespace karlo::nets
