#pragma once

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// Loops over rows of channels.
template <int kLanes>
struct RowLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::load;
  using Base::load_part;
  using Base::silu;
  using Base::store;
  using Base::store_part;

  template <bool kSilu>
  static KARLO_INLINE Float apply(Float x, Float center, Float scale, Float bias) {
    const Float y = (x - center) * scale + bias;
    return kSilu ? silu(y) : y;
  }

  template <typename From, typename To, bool kSilu>
  static void affine(const From* rows, int64_t count, int64_t channels, const Affine& affine,
                     To* y) {
    const auto [center, scale, bias] = affine;
    const int64_t whole = channels / kLanes * kLanes, rest = channels - whole;
    for (int64_t row = 0; row < count; ++row, rows += channels, y += channels) {
      for (int64_t c = 0; c < whole; c += kLanes) {
        store(apply<kSilu>(load(rows + c), load(center + c), load(scale + c), load(bias + c)),
              y + c);
      }
      if (rest > 0) {
        const Float value =
            apply<kSilu>(load_part(rows + whole, rest), load_part(center + whole, rest),
                         load_part(scale + whole, rest), load_part(bias + whole, rest));
        store_part(value, y + whole, rest);
      }
    }
  }

  // For `kVectors` vectors of channels. The sums are held in registers.
  template <int kVectors, typename T>
  static KARLO_INLINE void moments_of(const T* rows, int64_t count, int64_t channels, float* sum,
                                      float* squares) {
    Float first[kVectors], sums[kVectors] = {}, square_sums[kVectors] = {};
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) first[v] = load(rows + v * kLanes);
    for (int64_t row = 1; row < count; ++row) {
      rows += channels;
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const Float difference = load(rows + v * kLanes) - first[v];
        sums[v] += difference;
        square_sums[v] += difference * difference;
      }
    }
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      store(sums[v], sum + v * kLanes);
      store(square_sums[v], squares + v * kLanes);
    }
  }

  template <typename T>
  static void moments(const T* rows, int64_t count, int64_t channels, float* sum, float* squares) {
    int64_t c = 0;
    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) {
      moments_of<4>(rows + c, count, channels, sum + c, squares + c);
    }
    for (; c + kLanes <= channels; c += kLanes) {
      moments_of<1>(rows + c, count, channels, sum + c, squares + c);
    }
    for (; c < channels; ++c) {
      const auto first = static_cast<float>(rows[c]);
      sum[c] = squares[c] = 0;
      for (int64_t row = 1; row < count; ++row) {
        const float difference = static_cast<float>(rows[row * channels + c]) - first;
        sum[c] += difference;
        squares[c] += difference * difference;
      }
    }
  }
};

}  // namespace
}  // namespace karlo::simd
