#include "ops/group_norm/cpu_moments.h"

#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// Pixels that are summed in float32. A constant, so that results do not depend on the number of
// threads.
constexpr int64_t kPixels = 128;

std::vector<float> to_floats(const at::Tensor& values) {
  const at::Tensor floats = values.to(at::kFloat).contiguous();
  const float* data = floats.const_data_ptr<float>();
  return {data, data + floats.numel()};
}

}  // namespace

std::vector<float> expand_floats(const at::Tensor& values, int64_t batch, int64_t channels) {
  return to_floats(values.expand({batch, channels}));
}

Conditioning::Conditioning(int64_t batch, int64_t channels)
    : offset(batch * channels), scale(batch * channels), shift(batch * channels) {}

template <typename T>
void ChannelMoments::add(const T* x, int64_t pixels, int64_t width, int64_t first) {
  const int64_t chunks = (pixels + kPixels - 1) / kPixels;
  std::vector<float> parts(batch_ * chunks * 2 * width);
  const auto rows_of = [&](int64_t chunk) {
    return x + (chunk / chunks * pixels + chunk % chunks * kPixels) * width;
  };
  const auto count_of = [&](int64_t chunk) {
    return std::min(kPixels, pixels - chunk % chunks * kPixels);
  };
  parallel(batch_ * chunks, std::min(kPixels, pixels) * width, [&](int64_t chunk) {
    float* sum = parts.data() + chunk * 2 * width;
    simd::kernels().rows<T>().moments(rows_of(chunk), count_of(chunk), width, sum, sum + width);
  });
  for (int64_t chunk = 0; chunk < batch_ * chunks; ++chunk) {
    const float* differences = parts.data() + chunk * 2 * width;
    const float* squares = differences + width;
    double* sums = sums_.data() + 2 * (chunk / chunks) * channels_ + first;
    const T* origin = rows_of(chunk);
    const auto count = static_cast<double>(count_of(chunk));
    for (int64_t c = 0; c < width; ++c) {
      const auto o = static_cast<double>(static_cast<float>(origin[c]));
      const double sum = differences[c];
      sums[c] += sum + count * o;
      sums[channels_ + c] += squares[c] + o * (2 * sum + count * o);
    }
  }
  pixels_ = pixels;
}

template void ChannelMoments::add(const float*, int64_t, int64_t, int64_t);
template void ChannelMoments::add(const c10::BFloat16*, int64_t, int64_t, int64_t);

Affine ChannelMoments::normalize(const Norm& norm, const Conditioning& conditioning) const {
  const auto weight = to_floats(norm.weight), bias = to_floats(norm.bias);
  const auto pixels = static_cast<double>(pixels_);
  const int64_t width = channels_ / norm.groups;
  Affine affine(batch_, channels_);
  for (int64_t b = 0; b < batch_; ++b) {
    const double* sums = sums_.data() + 2 * b * channels_;
    const double* squares = sums + channels_;
    const float* offset = conditioning.offset.data() + b * channels_;
    for (int64_t start = 0; start < channels_; start += width) {
      double sum = 0, square = 0;
      for (int64_t c = start; c < start + width; ++c) {
        const double o = offset[c];
        sum += sums[c] + o * pixels;
        square += squares[c] + 2 * o * sums[c] + o * o * pixels;
      }
      const double count = pixels * static_cast<double>(width), mean = sum / count;
      const double deviation = std::sqrt(std::max(0.0, square / count - mean * mean) + norm.eps);
      for (int64_t c = start; c < start + width; ++c) {
        const int64_t i = b * channels_ + c;
        const double factor = 1.0 + conditioning.scale[i], center = mean - offset[c];
        affine.center[i] = static_cast<float>(center);
        affine.scale[i] = static_cast<float>(weight[c] / deviation * factor);
        // What rounding the center leaves.
        const double rest = affine.center[i] - center;
        affine.bias[i] =
            static_cast<float>(rest * affine.scale[i] + bias[c] * factor + conditioning.shift[i]);
      }
    }
  }
  return affine;
}

}  // namespace karlo::ops::cpu
