#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "simd/kernels.h"

// Group norms of channels-last images, as moments and factors per channel.
namespace karlo::ops::cpu {

// The parameters of a group norm.
struct Norm {
  const at::Tensor& weight;  // [C]
  const at::Tensor& bias;    // [C]
  int64_t groups;
  double eps;
};

// `values` as float32 [B, C]. They may be given as [B, C], or as [1, C] for all images.
std::vector<float> expand_floats(const at::Tensor& values, int64_t batch, int64_t channels);

// A Modulation for each image and channel, [B, C]; all zeros to begin with.
struct Conditioning {
  std::vector<float> offset, scale, shift;

  Conditioning(int64_t batch, int64_t channels);
};

// A norm and its modulation in one: (x - center) * scale + bias, for each image and channel, [B,
// C].
struct Affine {
  int64_t channels;
  std::vector<float> center, scale, bias;

  Affine(int64_t batch, int64_t channels)
      : channels(channels),
        center(batch * channels),
        scale(batch * channels),
        bias(batch * channels) {}

  // Those of an image, from a channel on.
  simd::Affine at(int64_t image, int64_t channel = 0) const {
    const int64_t i = image * channels + channel;
    return {center.data() + i, scale.data() + i, bias.data() + i};
  }
};

// The sums of each channel's elements and of their squares. The order of the additions does not
// depend on the number of threads.
class ChannelMoments {
 public:
  ChannelMoments(int64_t batch, int64_t channels)
      : batch_(batch), channels_(channels), sums_(2 * batch * channels) {}

  // Adds x, [B, pixels, width] and contiguous, to `width` channels starting at `first`.
  template <typename T>
  void add(const T* x, int64_t pixels, int64_t width, int64_t first = 0);

  // The factors that normalize x + offset, scale it by 1 + scale and add shift.
  Affine normalize(const Norm& norm, const Conditioning& conditioning) const;

 private:
  int64_t batch_, channels_, pixels_ = 0;
  std::vector<double> sums_;  // [B, 2, C]: of the elements, and of their squares
};

}  // namespace karlo::ops::cpu
