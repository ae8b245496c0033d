#include "nets/unet.h"

#include <string>

namespace karlo::nets {

UNetSizes UNetSizes::read(const ConfigReader& config) {
  config.expect("act_fn", {"silu", "swish"}, "silu");
  config.expect_default("center_input_sample", false);
  config.expect_default("time_embedding_type", "positional");
  config.expect_default("mid_block_scale_factor", 1.0);
  config.expect_null("num_class_embeds");

  config.expect("resnet_time_scale_shift", {"default", "scale_shift"}, "default");
  UNetSizes sizes{};
  const std::vector<int64_t> channels = config.size_list("block_out_channels", {});
  if (channels.empty()) config.refuse("block_out_channels", "a list of integers");
  const auto depth = static_cast<int64_t>(channels.size());
  if (depth > 16) config.refuse("block_out_channels", "at most 16 levels");
  const std::vector<int64_t> resnets = config.sizes("layers_per_block", depth, 2);
  for (int64_t i = 0; i < depth; ++i) {
    if (resnets[i] > ConfigReader::kMaxCount) config.refuse("layers_per_block", "at most 256");
    sizes.levels.push_back({channels[i], resnets[i], std::nullopt, std::nullopt});
  }
  sizes.sinusoidal = {channels[0], config.flag("flip_sin_to_cos", true),
                      config.number("freq_shift", 0)};
  sizes.block = {config.size_or_null("time_embedding_dim", 4 * channels[0]),
                 config.size("norm_num_groups", 32), config.number("norm_eps", 1e-5),
                 config.text("resnet_time_scale_shift", "default") == "scale_shift"};
  const int64_t halvings = int64_t{1} << (depth - 1);
  if (config.size_or_null("sample_size", halvings) % halvings != 0) {
    config.refuse("sample_size", "a multiple of " + std::to_string(halvings));
  }
  for (const int64_t width : channels) {
    if (width % sizes.block.groups != 0) {
      config.refuse("norm_num_groups", "a divisor of every item of block_out_channels");
    }
  }
  return sizes;
}

std::array<int64_t, 4> UNetSizes::example_shape(int64_t channels) const {
  const int64_t side = int64_t{1} << levels.size();
  return {2, channels, side, side};
}

UNet::UNet(const Scope& scope, const UNetSizes& sizes)
    : conv_in_(scope["conv_in"], sizes.in, sizes.levels.front().channels, sizes.in_kernel),
      time_embedding_(scope["time_embedding"], sizes.sinusoidal, sizes.block.time_width,
                      sizes.block.time_width),
      conv_norm_out_(scope["conv_norm_out"], sizes.levels.front().channels, sizes.block.groups,
                     sizes.block.eps),
      conv_out_(scope["conv_out"], sizes.levels.front().channels, sizes.out, sizes.out_kernel) {
  const size_t depth = sizes.levels.size();
  for (size_t i = 0; i < depth; ++i) {
    down_.push_back(make_down(scope["down_blocks"][static_cast<int64_t>(i)], sizes, i));
  }
  middle_ = make_middle(scope["mid_block"], sizes);
  for (size_t i = 0; i < depth; ++i) {
    up_.push_back(make_up(scope["up_blocks"][static_cast<int64_t>(i)], sizes, depth - 1 - i));
  }
}

Level UNet::make_down(const Scope& scope, const UNetSizes& sizes, size_t i) {
  const LevelSizes& here = sizes.levels[i];
  Level level;
  int64_t width = sizes.levels[i == 0 ? 0 : i - 1].channels;
  for (int64_t k = 0; k < here.resnets; ++k) {
    level.resnets.emplace_back(scope["resnets"][k], width, here.channels, sizes.block, times_);
    if (here.down_head_width) {
      level.attentions.push_back(
          make_attention(scope["attentions"][k], sizes, here, *here.down_head_width));
    }
    width = here.channels;
  }
  if (i + 1 < sizes.levels.size()) {
    level.resample.emplace(scope["downsamplers"][0], width, width, sizes.block, times_,
                           Resample::kDown);
  }
  return level;
}

Level UNet::make_middle(const Scope& scope, const UNetSizes& sizes) {
  const LevelSizes& here = sizes.levels.back();
  Level level;
  for (int64_t k = 0; k < sizes.mid_resnets; ++k) {
    level.resnets.emplace_back(scope["resnets"][k], here.channels, here.channels, sizes.block,
                               times_);
    if (sizes.mid_head_width && k > 0) {
      level.attentions.push_back(
          make_attention(scope["attentions"][k - 1], sizes, here, *sizes.mid_head_width));
    }
  }
  return level;
}

// Each ResBlock has a skip connection from an activation of the downsampling path: those of its
// level, the last first, and finally the input of that level.
Level UNet::make_up(const Scope& scope, const UNetSizes& sizes, size_t i) {
  const LevelSizes& here = sizes.levels[i];
  const int64_t above = sizes.levels[i == 0 ? 0 : i - 1].channels;
  Level level;
  int64_t width = sizes.levels[i + 1 < sizes.levels.size() ? i + 1 : i].channels;
  for (int64_t k = 0; k <= here.resnets; ++k) {
    const int64_t skip = k == here.resnets ? above : here.channels;
    level.resnets.emplace_back(scope["resnets"][k], width + skip, here.channels, sizes.block,
                               times_);
    if (here.up_head_width) {
      level.attentions.push_back(
          make_attention(scope["attentions"][k], sizes, here, *here.up_head_width));
    }
    width = here.channels;
  }
  if (i > 0) {
    level.resample.emplace(scope["upsamplers"][0], width, width, sizes.block, times_,
                           Resample::kUp);
  }
  return level;
}

ContextAttention UNet::make_attention(const Scope& scope, const UNetSizes& sizes,
                                      const LevelSizes& level, int64_t head_width) {
  return ContextAttention(scope, level.channels, head_width, sizes.context, sizes.block.groups,
                          contexts_);
}

at::Tensor UNet::project_context(const at::Tensor& context) const {
  return contexts_(cast(context));
}

at::Tensor UNet::operator()(const at::Tensor& x, const at::Tensor& times,
                            const Context& prompt) const {
  // The convolutions compute in channels-last order: this way, nothing is reordered between them.
  at::Tensor h = conv_in_(cast(x).contiguous(at::MemoryFormat::ChannelsLast));
  std::vector<at::Tensor> skips{h};
  for (const Level& level : down_) {
    for (size_t i = 0; i < level.resnets.size(); ++i) {
      h = level.resnets[i](h, times);
      if (!level.attentions.empty()) h = level.attentions[i](h, prompt);
      skips.push_back(h);
    }
    if (level.resample) {
      h = (*level.resample)(h, times);
      skips.push_back(h);
    }
  }
  for (size_t i = 0; i < middle_.resnets.size(); ++i) {
    if (i > 0 && !middle_.attentions.empty()) h = middle_.attentions[i - 1](h, prompt);
    h = middle_.resnets[i](h, times);
  }
  for (const Level& level : up_) {
    for (size_t i = 0; i < level.resnets.size(); ++i) {
      h = level.resnets[i](h, times, skips.back());
      skips.pop_back();
      if (!level.attentions.empty()) h = level.attentions[i](h, prompt);
    }
    if (level.resample) h = (*level.resample)(h, times);
  }
  return conv_out_(conv_norm_out_.then_silu(h)).contiguous().type_as(x);
}

}  // namespace karlo::nets
