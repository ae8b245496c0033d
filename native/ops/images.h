#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

// Helpers for the CPU kernels of channels-last images.
namespace karlo::ops::cpu {

// The most weights that a convolution of a narrow layer may have (1 MB of float32): they stay in a
// core's cache.
constexpr int64_t kMaxNarrowWeights = int64_t{1} << 18;

inline bool is_float_on_cpu(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat;
}

inline at::Tensor empty_float(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kFloat));
}

inline at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

// Views of channels-last images as pixels, [B * H * W, C], and back.
inline at::Tensor pixels_of(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).view({-1, x.size(1)});
}
inline at::Tensor images_of(const at::Tensor& pixels, int64_t batch, int64_t height,
                            int64_t width) {
  return pixels.view({batch, height, width, pixels.size(1)}).permute({0, 3, 1, 2});
}

// Averages each 2x2 pixels of two rows. `width`: of the result.
inline void average_2x2(const float* upper, const float* lower, int64_t width, int64_t channels,
                        float* to) {
  for (int64_t x = 0; x < width; ++x, upper += 2 * channels, lower += 2 * channels) {
    for (int64_t c = 0; c < channels; ++c) {
      *to++ = (upper[c] + upper[c + channels] + lower[c] + lower[c + channels]) * 0.25f;
    }
  }
}

}  // namespace karlo::ops::cpu
