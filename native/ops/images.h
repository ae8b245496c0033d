#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

// What the kernels have in common.
namespace karlo::nets::cpu {

// Weights of the largest convolution that is narrow, in numbers (1 MB): they stay in a core's
// cache.
constexpr int64_t kNarrow = int64_t{1} << 18;

inline bool is_float_on_cpu(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat;
}

inline at::Tensor float_empty(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kFloat));
}

// The pixels of channels-last pictures, [B * H * W, C], and back: views.
inline at::Tensor pixels_of(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).view({-1, x.size(1)});
}
inline at::Tensor pictures_of(const at::Tensor& pixels, int64_t batch, int64_t height,
                              int64_t width) {
  return pixels.view({batch, height, width, pixels.size(1)}).permute({0, 3, 1, 2});
}

// The mean of each 2x2 pixels of two rows.
inline void halve(const float* upper, const float* lower, int64_t width, int64_t channels,
                  float* to) {
  for (int64_t x = 0; x < width; ++x, upper += 2 * channels, lower += 2 * channels) {
    for (int64_t c = 0; c < channels; ++c) {
      *to++ = (upper[c] + upper[c + channels] + lower[c] + lower[c + channels]) * 0.25f;
    }
  }
}

}  // namespace karlo::nets::cpu
