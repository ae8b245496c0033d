#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nets/layers.h"

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

enum class Resample : int64_t { kNone, kDown, kUp };
// A picture's height or width after it.
inline int64_t resampled(int64_t size, Resample how) {
  return how == Resample::kDown ? size / 2 : how == Resample::kUp ? size * 2 : size;
}

struct ResBlockOptions {
  int64_t time_width;  // of the time embedding
  int64_t groups;      // norm_num_groups
  double eps;          // norm_eps
  bool scale_shift;  // resnet_time_scale_shift: the time embedding scales and shifts, or only adds
};

// GroupNorm, SiLU, 3x3 convolution, twice, under the time embedding (Dhariwal & Nichol 2021,
// section 3), halving or doubling the picture in between when it resamples. In a graph it is one
// operator, karlo::res_block.
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

  // x [B, in, H, W], times [B or 1, *] -> [B, out, H', W']. What is skipped, an activation of the
  // way down, stands behind the channels of x.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& times,
                        const std::optional<at::Tensor>& skipped = {}) const;
};

// Tells LibTorch of the operator, once a process: before a graph that has it is traced or loaded.
void register_res_block();

}  // namespace karlo::nets
