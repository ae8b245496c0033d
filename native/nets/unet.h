#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nets/config.h"
#include "nets/context_attention.h"
#include "nets/res_block.h"

namespace karlo::nets {

// One resolution of a U-Net.
struct LevelSizes {
  int64_t channels;
  int64_t resnets;                         // ResBlocks on the way down; one more on the way up
  std::optional<int64_t> down_head_width;  // of an attention head on the way down, if it attends
  std::optional<int64_t> up_head_width;    // ... and on the way up
};

struct UNetSizes {
  int64_t in, out;  // channels
  int64_t in_kernel, out_kernel;
  std::vector<LevelSizes> levels;  // from the full resolution down
  int64_t mid_resnets;
  std::optional<int64_t> mid_head_width;  // ... and in the middle
  int64_t context = 0;                    // width of the context that is attended to
  Sinusoid sinusoid;
  ResBlockOptions block;

  // What the decoder's and the super-resolution's configs have in common; attention is left out.
  static UNetSizes read(const ConfigReader& config);
};

// ResBlocks at one resolution, each followed by attention where there is any, then a ResBlock that
// halves or doubles the picture.
struct Level {
  std::vector<ResBlock> resnets;
  std::vector<ContextAttention> attentions;  // none, or one a ResBlock (but for the middle's first)
  std::optional<ResBlock> resample;
};

// The U-Net of Nichol et al. 2021 (GLIDE) and Dhariwal & Nichol 2021 (ADM): down, through the
// middle, and up again with the way down's activations alongside.
class UNet {
 public:
  UNet(const Scope& scope, const UNetSizes& sizes);

  // int64 [n] or a scalar -> [n or 1, time width], before what a prompt adds to it.
  at::Tensor time_embedding(const at::Tensor& t) const { return time_embedding_(t); }
  // Its projections for all ResBlocks: [..., time width] -> [..., *].
  at::Tensor project_times(const at::Tensor& embedding) const { return times_(embedding); }
  // The context's keys and values for all attention blocks: [B, n, context] -> [B, n, *].
  at::Tensor project_context(const at::Tensor& context) const;

  // x [B, in, H, W], times [B or 1, *] -> [B, out, H, W] in the dtype of x.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& times, const Context& prompt) const;

  at::Tensor cast(const at::Tensor& x) const { return x.type_as(conv_in_.weight); }

 private:
  Level level_down(const Scope& scope, const UNetSizes& sizes, size_t i);
  Level level_middle(const Scope& scope, const UNetSizes& sizes);
  Level level_up(const Scope& scope, const UNetSizes& sizes, size_t i);
  ContextAttention attention(const Scope& scope, const UNetSizes& sizes, const LevelSizes& level,
                             int64_t head_width);

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
