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
  static KARLO_INLINE Float apply(Float x, Float scale, Float bias) {
    const Float y = x * scale + bias;
    return kSilu ? silu(y) : y;
  }

  template <typename From, typename To, bool kSilu>
  static void affine(const From* rows, int64_t count, int64_t channels, const float* scale,
                     const float* bias, To* y) {
    const int64_t whole = channels / kLanes * kLanes, rest = channels - whole;
    for (int64_t row = 0; row < count; ++row, rows += channels, y += channels) {
      for (int64_t c = 0; c < whole; c += kLanes) {
        store(apply<kSilu>(load(rows + c), load(scale + c), load(bias + c)), y + c);
      }
      if (rest > 0) {
        const Float value =
            apply<kSilu>(load_part(rows + whole, rest), load_part(scale + whole, rest),
                         load_part(bias + whole, rest));
        store_part(value, y + whole, rest);
      }
    }
  }

  // For `kVectors` vectors of channels. The sums are held in registers.
  template <int kVectors, typename T>
  static KARLO_INLINE void add_moments_of(const T* rows, int64_t count, int64_t channels,
                                          float* sum, float* squares) {
    Float sums[kVectors], square_sums[kVectors];
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sums[v] = load(sum + v * kLanes);
      square_sums[v] = load(squares + v * kLanes);
    }
    for (int64_t row = 0; row < count; ++row, rows += channels) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const Float x = load(rows + v * kLanes);
        sums[v] += x;
        square_sums[v] += x * x;
      }
    }
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      store(sums[v], sum + v * kLanes);
      store(square_sums[v], squares + v * kLanes);
    }
  }

  template <typename T>
  static void add_moments(const T* rows, int64_t count, int64_t channels, float* sum,
                          float* squares) {
    int64_t c = 0;
    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) {
      add_moments_of<4>(rows + c, count, channels, sum + c, squares + c);
    }
    for (; c + kLanes <= channels; c += kLanes) {
      add_moments_of<1>(rows + c, count, channels, sum + c, squares + c);
    }
    for (; c < channels; ++c) {
      for (int64_t row = 0; row < count; ++row) {
        const auto x = static_cast<float>(rows[row * channels + c]);
        sum[c] += x;
        squares[c] += x * x;
      }
    }
  }
};

}  // namespace
}  // namespace karlo::simd
