#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ops/conv/resample.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/images.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {

// The input of a ResBlock's convolution before norm and SiLU: channels-last images whose channels
// are concatenated.
struct Activations {
  std::vector<at::Tensor> sources;  // [B, C, H, W] each, channels last
  Affine affine;                    // for all channels
  Resample resample;                // after SiLU
};

// Computes the rows of that input: norm, SiLU and downsampling. Upsampling is left to the
// convolution.
template <typename T>
class ActivatedRows {
 public:
  explicit ActivatedRows(const Activations& input)
      : input_(input), downsampled_(input.resample == Resample::kDown) {
    for (const at::Tensor& source : input.sources) channels_ += source.size(1);
  }

  int64_t channels() const { return channels_; }
  int64_t batch() const { return input_.sources[0].size(0); }
  int64_t height() const { return input_.sources[0].size(2) / (downsampled_ ? 2 : 1); }
  int64_t width() const { return input_.sources[0].size(3) / (downsampled_ ? 2 : 1); }
  // Floats per row, including one pixel of zeros on each side.
  int64_t line() const { return (width() + 2) * channels_; }

  // Writes row y of image b. Rows outside the image are zeros.
  void write(int64_t b, int64_t y, float* row) const {
    if (y < 0 || y >= height()) {
      std::fill_n(row, line(), 0.0f);
      return;
    }
    std::fill_n(row, channels_, 0.0f);
    std::fill_n(row + line() - channels_, channels_, 0.0f);
    int64_t channel = 0;
    for (const at::Tensor& source : input_.sources) {
      write_source(source, b, y, channel, row + channels_ + channel);
      channel += source.size(1);
    }
  }

 private:
  // Writes one source's channels, starting at `channel`. If they are not all channels of the row,
  // they are computed in a buffer and copied from there.
  void write_source(const at::Tensor& source, int64_t b, int64_t y, int64_t channel,
                    float* to) const {
    const int64_t channels = source.size(1), source_width = source.size(3);
    const int64_t line = source_width * channels;
    const T* from = source.const_data_ptr<T>() + b * source.size(2) * line;
    const simd::Affine affine = input_.affine.at(b, channel);
    const auto activate = [&](int64_t row, float* out) {
      simd::kernels().rows<T>().affine_silu_to_float(from + row * line, source_width, channels,
                                                     affine, out);
    };
    if (!downsampled_ && channels == channels_) {
      activate(y, to);
      return;
    }
    thread_local std::vector<float> rows;  // kept: the system clears the pages of a new block
    rows.resize(downsampled_ ? 3 * line : line);
    float* result = rows.data();
    if (downsampled_) {
      activate(2 * y, rows.data());
      activate(2 * y + 1, rows.data() + line);
      result = rows.data() + 2 * line;
      average_2x2(rows.data(), rows.data() + line, width(), channels, result);
    } else {
      activate(y, result);
    }
    for (int64_t x = 0; x < width(); ++x) {
      std::copy_n(result + x * channels, channels, to + x * channels_);
    }
  }

  const Activations& input_;
  bool downsampled_;
  int64_t channels_ = 0;
};

}  // namespace karlo::ops::cpu
