#include "nets/decoder.h"

#include <algorithm>
#include <string>
#include <vector>

namespace karlo::nets {
namespace {

// Whether a block of this type attends; `plain` and `attending` are the two types that are known.
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

void refuse_the_unknown(const ConfigReader& config) {
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

}  // namespace

UNetSizes decoder_sizes(const ConfigReader& config) {
  refuse_the_unknown(config);
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
    // Block types of the way up are listed from the lowest resolution on, and so, without being
    // reversed, is attention_head_dim read for them: diffusers does it like that.
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
  return {cache, mask_bias(mask, cache)};
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

}  // namespace karlo::nets
