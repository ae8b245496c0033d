#pragma once

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// The direct convolution. `kPixels1` to `kPixels3` are the pixels per tile for blocks of one, two
// or three vectors.
template <int kLanes, int kPixels1, int kPixels2, int kPixels3>
struct ConvLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::load;
  using Base::store;

  // Channels that are summed in one go: the sum of such partial sums has a smaller rounding error.
  // Fewer without a fused multiply-add, which saves a rounding.
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  static constexpr int64_t kChannels = 64;
#else
  static constexpr int64_t kChannels = 16;
#endif

  template <int kVectors, int kPixels>
  using Sums = Float[kPixels][kVectors];

  template <int kVectors, int kPixels, typename F>
  static KARLO_INLINE void each(const F& f) {
    KARLO_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) f(p, v);
    }
  }

  // Pixels x to x + kPixels of a block of kVectors vectors of channels. The sums are held in
  // registers, the totals in memory.
  template <int kVectors, int kPixels>
  static KARLO_INLINE void tile(const ConvRow& row, int64_t x, int64_t first,
                                const float* weights) {
    Sums<kVectors, kPixels> sums, totals;
    each<kVectors, kPixels>([&](int p, int v)
                                KARLO_INLINE_LAMBDA { sums[p][v] = totals[p][v] = Float{}; });
    int64_t summed = 0;
    for (int64_t t = 0; t < row.tap_count; ++t) {
      const Tap& tap = row.taps[t];
      for (int64_t c = 0; c < tap.channels;) {
        const int64_t left = kChannels - summed;
        const int64_t end = tap.channels - c < left ? tap.channels : c + left;
        add<kVectors, kPixels>(tap.pixels + x * tap.stride + c, tap.stride, end - c, weights, sums);
        weights += (end - c) * kVectors * kLanes;
        summed += end - c;
        c = end;
        if (summed < kChannels) continue;
        summed = 0;
        each<kVectors, kPixels>([&](int p, int v) KARLO_INLINE_LAMBDA {
          totals[p][v] += sums[p][v];
          sums[p][v] = Float{};
        });
      }
    }
    each<kVectors, kPixels>([&](int p, int v) KARLO_INLINE_LAMBDA {
      finish(row, x + p, first + v * kLanes, totals[p][v] + sums[p][v]);
    });
  }

  // Adds the products of `count` channels, from `pixel` on.
  template <int kVectors, int kPixels>
  static KARLO_INLINE void add(const float* pixel, int64_t stride, int64_t count,
                               const float* weights, Sums<kVectors, kPixels>& sums) {
    // One pointer per four pixels: one per pixel would not fit in the registers.
    constexpr int kGroups = (kPixels + 3) / 4;
    const float* pixels[kGroups];
    KARLO_UNROLL
    for (int g = 0; g < kGroups; ++g) pixels[g] = pixel + 4 * g * stride;
    for (int64_t c = 0; c < count; ++c) {
      Float weight[kVectors];
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) weight[v] = load(weights + v * kLanes);
      weights += kVectors * kLanes;
      KARLO_UNROLL
      for (int p = 0; p < kPixels; ++p) {
        const float value = pixels[p / 4][p % 4 * stride];
        KARLO_UNROLL
        for (int v = 0; v < kVectors; ++v) sums[p][v] += weight[v] * value;
      }
      KARLO_UNROLL
      for (int g = 0; g < kGroups; ++g) ++pixels[g];
    }
  }

  static KARLO_INLINE void finish(const ConvRow& row, int64_t pixel, int64_t channel, Float sum) {
    sum += load(row.bias + channel);
    float* to = row.y + pixel * row.y_stride + channel;
    const float* residual = row.residual ? row.residual + pixel * row.out + channel : nullptr;
    const int64_t count = row.out - channel;
    if (count >= kLanes) {
      store(residual ? sum + load(residual) : sum, to);
      return;
    }
    float lanes[kLanes];
    store(sum, lanes);
    for (int64_t i = 0; i < count; ++i) to[i] = residual ? lanes[i] + residual[i] : lanes[i];
  }

  // Where tiles of `pixels` end: tiles of four follow if they fill the row, because single pixels
  // are slow.
  static KARLO_INLINE int64_t end_of_tiles(int64_t width, int64_t pixels) {
    for (int64_t end = width; end >= 0 && end > width - pixels * 4; end -= 4) {
      if (end % pixels == 0) return end;
    }
    return width - width % pixels;
  }

  template <int kVectors, int kPixels>
  static KARLO_INLINE void block(const ConvRow& row, int64_t first, const float* weights) {
    int64_t x = 0;
    for (const int64_t end = end_of_tiles(row.width, kPixels); x < end; x += kPixels) {
      tile<kVectors, kPixels>(row, x, first, weights);
    }
    for (; x + 4 <= row.width; x += 4) tile<kVectors, 4>(row, x, first, weights);
    for (; x < row.width; ++x) tile<kVectors, 1>(row, x, first, weights);
  }

  static void conv_row(const ConvRow& row) {
    int64_t channels = 0;
    for (int64_t t = 0; t < row.tap_count; ++t) channels += row.taps[t].channels;
    int64_t left = (row.out + kLanes - 1) / kLanes;
    const float* weights = row.weights;
    int64_t first = 0;
    for (int64_t blocks = block_count(left); blocks > 0; --blocks) {
      const int64_t vectors = next_block(left, blocks);
      if (vectors == 1) block<1, kPixels1>(row, first, weights);
      if (vectors == 2) block<2, kPixels2>(row, first, weights);
      if (vectors == 3) block<3, kPixels3>(row, first, weights);
      weights += channels * vectors * kLanes;
      first += vectors * kLanes;
      left -= vectors;
    }
  }
};

}  // namespace
}  // namespace karlo::simd
