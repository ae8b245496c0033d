#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "nets/res_block.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/images.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {

// Channels-last pictures whose channels stand behind each other, before a norm's factors.
struct Activations {
  std::vector<at::Tensor> sources;  // [B, C, H, W] each, channels last
  Affine affine;                    // of all channels
  Resample resample;                // after SiLU
};

// What a convolution of wide layers sees, row by row: norm, SiLU and halving are done here;
// doubling is the convolution's affair.
template <typename T>
class ActivatedRows {
 public:
  explicit ActivatedRows(const Activations& input)
      : input_(input), halved_(input.resample == Resample::kDown) {
    for (const at::Tensor& source : input.sources) channels_ += source.size(1);
  }

  int64_t channels() const { return channels_; }
  int64_t batch() const { return input_.sources[0].size(0); }
  int64_t height() const { return input_.sources[0].size(2) / (halved_ ? 2 : 1); }
  int64_t width() const { return input_.sources[0].size(3) / (halved_ ? 2 : 1); }
  // Floats of a row, with a pixel of zeros on each side.
  int64_t line() const { return (width() + 2) * channels_; }

  // Row y of picture b: zeros where there is none.
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
  // A source's channels: beside those of the other one, so by way of a row of its own.
  void write_source(const at::Tensor& source, int64_t b, int64_t y, int64_t channel,
                    float* to) const {
    const int64_t channels = source.size(1), wide = source.size(3), line = wide * channels;
    const T* from = source.const_data_ptr<T>() + b * source.size(2) * line;
    const float* gain = input_.affine.gain.data() + b * channels_ + channel;
    const float* lift = input_.affine.lift.data() + b * channels_ + channel;
    const auto activate = [&](int64_t row, float* out) {
      kernels().rows<T>().activate(from + row * line, wide, channels, gain, lift, out);
    };
    if (!halved_ && channels == channels_) {
      activate(y, to);
      return;
    }
    thread_local std::vector<float> rows;  // kept: so large a piece would come from the system anew
    rows.resize(halved_ ? 3 * line : line);
    float* whole = rows.data();
    if (halved_) {
      activate(2 * y, rows.data());
      activate(2 * y + 1, rows.data() + line);
      whole = rows.data() + 2 * line;
      halve(rows.data(), rows.data() + line, width(), channels, whole);
    } else {
      activate(y, whole);
    }
    for (int64_t x = 0; x < width(); ++x) {
      std::copy_n(whole + x * channels, channels, to + x * channels_);
    }
  }

  const Activations& input_;
  bool halved_;
  int64_t channels_ = 0;
};

}  // namespace karlo::nets::cpu
