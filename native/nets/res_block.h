#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "nets/layers.h"
#include "ops/conv/resample.h"

namespace karlo::nets {

using ops::Resample;

// One block's part of a tensor that concatenates the parts of all blocks along its last dimension.
struct Slice {
  int64_t start, length;
};

// The projections of the time embedding for all ResBlocks of a network at once, so that a loop can
// compute them for its whole schedule before the first step.
class TimeProjections {
 public:
  Slice add(const Scope& scope, int64_t in, int64_t out);

  // [..., in] -> [..., sum of the outs]
  at::Tensor operator()(const at::Tensor& embedding) const;

 private:
  std::vector<Linear> layers_;
  int64_t width_ = 0;
};

struct ResBlockOptions {
  int64_t time_width;  // of the time embedding
  int64_t groups;      // norm_num_groups
  double eps;          // norm_eps
  bool scale_shift;    // resnet_time_scale_shift: the time embedding scales and shifts, or is only
                       // added
};

// The parameters of ops::res_block().
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

  // x [B, in, H, W], times [B or 1, *] -> [B, out, H', W']. The channels of `skip`, the activation
  // of a skip connection, are appended to those of x.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& times,
                        const std::optional<at::Tensor>& skip = {}) const;
};

}  // namespace karlo::nets
