#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace karlo::nets::cpu {

// A group norm's own numbers.
struct Norm {
  const at::Tensor& weight;  // [C]
  const at::Tensor& bias;    // [C]
  int64_t groups;
  double eps;
};

// One number for each picture and channel, [B, C]: what is given as [B, C], or as [1, C] for all
// pictures.
std::vector<float> each(const at::Tensor& values, int64_t batch, int64_t channels);

// What a modulation does for each picture and channel, [B, C].
struct Modulations {
  std::vector<float> offset, scale, shift;

  Modulations(int64_t batch, int64_t channels);  // none
};

// y = x * gain + lift for each picture and channel, [B, C]: norm and modulation together.
struct Affine {
  std::vector<float> gain, lift;
};

// The first two moments of each picture's channels, from which the norm's factors follow. They are
// summed in the same order whatever the number of threads.
class ChannelMoments {
 public:
  ChannelMoments(int64_t batch, int64_t channels)
      : batch_(batch), channels_(channels), sums_(2 * batch * channels) {}

  // Of the channels from `first` on: x is [B, pixels, width], contiguous.
  template <typename T>
  void add(const T* x, int64_t pixels, int64_t width, int64_t first = 0);

  // The factors that normalise x + offset, scale it by 1 + scale and shift it.
  Affine normalize(const Norm& norm, const Modulations& modulations) const;

 private:
  int64_t batch_, channels_, pixels_ = 0;
  std::vector<double> sums_;  // [B, 2, C]: of the elements, and of their squares
};

}  // namespace karlo::nets::cpu
