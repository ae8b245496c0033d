#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "nets/layers.h"

// What the decoder's and the super-resolution's U-Nets are built from.
namespace karlo::nets {

// A block's part of a tensor that holds the same thing for all blocks side by side.
struct Slice {
  int64_t start, length;

  at::Tensor of(const at::Tensor& all) const;  // along the last dimension
};

// The projection of the time embedding that each ResBlock adds, for all ResBlocks of a network at
// once. A loop can so compute them for its whole schedule before the first step.
class TimeProjections {
 public:
  Slice add(const Scope& scope, int64_t in, int64_t out);

  // [..., in] -> [..., sum of the outs]
  at::Tensor operator()(const at::Tensor& embedding) const;

 private:
  std::vector<Linear> layers_;
  int64_t width_ = 0;
};

// The keys and values that each attention block computes from the context, for all of them at once:
// constant for a prompt.
class ContextProjections {
 public:
  // Returns the places of keys and values.
  std::pair<Slice, Slice> add(const Scope& scope, int64_t context_width, int64_t width);

  // [B, n, context_width] -> [B, n, sum of the widths, twice]
  at::Tensor operator()(const at::Tensor& context) const;

 private:
  std::vector<Linear> layers_;
  int64_t width_ = 0;
};

// What a prompt contributes to the attention blocks.
struct Context {
  at::Tensor cache;  // ContextProjections of the context, [B, n, *]
  at::Tensor bias;   // what its mask adds to the attention logits, [B, 1, 1, n]
};

enum class Resample { kNone, kDown, kUp };

struct ResBlockOptions {
  int64_t time_width;  // of the time embedding
  int64_t groups;      // norm_num_groups
  double eps;          // norm_eps
  bool scale_shift;  // resnet_time_scale_shift: the time embedding scales and shifts, or only adds
};

// GroupNorm, SiLU, 3x3 convolution, twice, under the time embedding (Dhariwal & Nichol 2021,
// section 3), halving or doubling the picture in between when it resamples.
struct ResBlock {
  GroupNorm norm1;
  Conv2d conv1;
  Slice time;
  GroupNorm norm2;
  Conv2d conv2;
  std::optional<Conv2d> shortcut;
  Resample resample;
  bool scale_shift;

  ResBlock(const Scope& scope, int64_t in, int64_t out, const ResBlockOptions& options,
           TimeProjections& times, Resample resample = Resample::kNone);

  // x [B, in, H, W], times [B or 1, *] -> [B, out, H', W']
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& times) const;

 private:
  // What the time embedding does to the second norm.
  Modulation modulation(const at::Tensor& time) const;
};

// Self-attention over the pixels whose keys and values stand behind those of the context.
struct ContextAttention {
  GroupNorm norm;
  Linear to_q, to_k, to_v;
  std::pair<Slice, Slice> context;
  Linear to_out;
  int64_t heads;

  ContextAttention(const Scope& scope, int64_t channels, int64_t head_width, int64_t context_width,
                   int64_t groups, ContextProjections& contexts);

  // x [B, channels, H, W] -> the same shape
  at::Tensor operator()(const at::Tensor& x, const Context& prompt) const;
};

}  // namespace karlo::nets
