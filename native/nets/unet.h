#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "nets/config.h"
#include "nets/context_attention.h"
#include "nets/res_block.h"

namespace karlo::nets {

// One resolution of a UNet.
struct LevelSizes {
  int64_t channels;
  int64_t resnets;  // in the downsampling path; the upsampling path has one more
  std::optional<int64_t> down_head_width;  // of the downsampling path's attention heads, if any
  std::optional<int64_t> up_head_width;    // of the upsampling path's attention heads, if any
};

struct UNetSizes {
  int64_t in, out;  // channels
  int64_t in_kernel, out_kernel;
  std::vector<LevelSizes> levels;  // from the full resolution down
  int64_t mid_resnets;
  std::optional<int64_t> mid_head_width;  // of the middle's attention heads, if any
  int64_t context = 0;                    // width of the context
  SinusoidalEmbedding sinusoidal;
  ResBlockOptions block;

  // Reads what the configs of decoder and super-resolution have in common: everything but the
  // channels of input and output, and attention.
  static UNetSizes read(const ConfigReader& config);

  // The shape of two images that can be halved at each level, for a trace.
  std::array<int64_t, 4> example_shape(int64_t channels) const;
};

// ResBlocks at one resolution, each followed by attention, if any, then a ResBlock that downsamples
// or upsamples.
struct Level {
  std::vector<ResBlock> resnets;
  std::vector<ContextAttention>
      attentions;  // none, or one per ResBlock (except the middle's first)
  std::optional<ResBlock> resample;
};

// The UNet of Dhariwal & Nichol 2021 (ADM) and Nichol et al. 2021 (GLIDE).
class UNet {
 public:
  UNet(const Scope& scope, const UNetSizes& sizes);

  // int64 [n] or a scalar -> [n or 1, time width], without a prompt's class_labels.
  at::Tensor time_embedding(const at::Tensor& t) const { return time_embedding_(t); }
  // The projections of a time embedding for all ResBlocks: [..., time width] -> [..., *].
  at::Tensor project_times(const at::Tensor& embedding) const { return times_(embedding); }
  // The context's keys and values for all attention blocks: [B, n, context] -> [B, n, *].
  at::Tensor project_context(const at::Tensor& context) const;

  // x [B, in, H, W], times [B or 1, *] -> [B, out, H, W] in the dtype of x.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& times, const Context& prompt) const;

  at::Tensor cast(const at::Tensor& x) const { return x.type_as(conv_in_.weight); }

 private:
  Level make_down(const Scope& scope, const UNetSizes& sizes, size_t i);
  Level make_middle(const Scope& scope, const UNetSizes& sizes);
  Level make_up(const Scope& scope, const UNetSizes& sizes, size_t i);
  ContextAttention make_attention(const Scope& scope, const UNetSizes& sizes,
                                  const LevelSizes& level, int64_t head_width);

  Conv2d conv_in_;
  TimeEmbedding time_embedding_;
  TimeProjections times_;
  ContextProjections contexts_;
  std::vector<Level> down_;
  Level middle_;
  std::vector<Level> up_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace karlo::nets
