#pragma once

#include "simd/vectors.h"

namespace karlo::nets::cpu {
namespace {

// A few rows times a matrix.
template <int kLanes>
struct DotLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::all_of;
  using Base::load;
  using Base::store;

  // Elements that dot_block() takes at once: of bfloat16 two vectors, the even elements and the odd
  // ones, which lie in the upper and the lower halves of 32 bits.
  static constexpr int64_t step_of(const float*) { return kLanes; }
  static constexpr int64_t step_of(const c10::BFloat16*) { return 2 * kLanes; }

  // A row's elements in that order.
  static void take_apart(const c10::BFloat16* row, int64_t count, float* apart) {
    const int64_t whole = count / (2 * kLanes) * (2 * kLanes);
    for (int64_t i = 0; i < whole; i += 2 * kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        apart[i + lane] = row[i + 2 * lane];
        apart[i + kLanes + lane] = row[i + 2 * lane + 1];
      }
    }
    for (int64_t i = whole; i < count; ++i) apart[i] = row[i];
  }

  template <int kRows, int kCount>
  static KARLO_INLINE void add_products(Float (&sums)[kRows][kCount], const Float (&w)[kCount],
                                        const float* x, int64_t in) {
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Float value = load(x + r * in);
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) sums[r][o] += w[o] * value;
    }
  }
  template <int kRows, int kCount>
  static KARLO_INLINE void add_step(Float (&sums)[kRows][kCount], const float* weights,
                                    const float* x, int64_t in) {
    Float w[kCount];
    KARLO_UNROLL
    for (int o = 0; o < kCount; ++o) w[o] = load(weights + o * in);
    add_products(sums, w, x, in);
  }
  template <int kRows, int kCount>
  static KARLO_INLINE void add_step(Float (&sums)[kRows][kCount], const c10::BFloat16* weights,
                                    const float* x, int64_t in) {
    // Loaded twice: there are no registers to keep them in.
    const auto pairs = [&](int o) {
      typename V::Bits bits;
      std::memcpy(&bits, static_cast<const void*>(weights + o * in), sizeof bits);
      return bits;
    };
    Float w[kCount];
    KARLO_UNROLL
    for (int o = 0; o < kCount; ++o) w[o] = bits_as<Float>(pairs(o) << 16);
    add_products(sums, w, x, in);
    KARLO_UNROLL
    for (int o = 0; o < kCount; ++o) w[o] = bits_as<Float>(pairs(o) & 0xffff0000u);
    add_products(sums, w, x + kLanes, in);
  }

  static KARLO_INLINE float sum_of(Float vector) {
    float lanes[kLanes];
    store(vector, lanes);
    float sum = 0;
    for (const float lane : lanes) sum += lane;
    return sum;
  }

  // `kCount` results of each of `kRows` rows, from `row` on, held in registers.
  template <int kRows, int kCount, typename T>
  static KARLO_INLINE void dot_block(const FewRows<T>& few, const float* all, int64_t row,
                                     int64_t first) {
    const int64_t in = few.in, step = step_of(few.weights), whole = in / step * step;
    const float* x = all + row * in;
    const T* weights = few.weights + first * in;
    // Every loop over them is unrolled, or they would not stay in registers.
    Float sums[kRows][kCount];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) sums[r][o] = all_of(0.0f);
    }
    for (int64_t i = 0; i < whole; i += step) add_step(sums, weights + i, x + i, in);
    float totals[kRows][kCount];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) totals[r][o] = sum_of(sums[r][o]);
    }
    for (int r = 0; r < kRows; ++r) {
      for (int o = 0; o < kCount; ++o) {
        float sum = totals[r][o];
        for (int64_t i = whole; i < in; ++i) {
          sum += x[r * in + i] * static_cast<float>(weights[o * in + i]);
        }
        if (few.bias != nullptr) sum += static_cast<float>(few.bias[first + o]);
        few.y[(row + r) * few.stride + first + o] = static_cast<T>(sum);
      }
    }
  }

  static void dot(const FewRows<float>& few) { dot_apart(few, few.x); }
  static void dot(const FewRows<c10::BFloat16>& few) {
    for (int64_t row = 0; row < few.rows; ++row) {
      take_apart(few.x + row * few.in, few.in, few.scratch + row * few.in);
    }
    dot_apart(few, few.scratch);
  }

  template <typename T>
  static KARLO_INLINE void dot_apart(const FewRows<T>& few, const float* x) {
    each_block<kLanes >= 16 ? 4 : 2>(few, [&](auto rows, auto count, int64_t row, int64_t first) {
      dot_block<rows, count>(few, x, row, first);
    });
  }
};

}  // namespace
}  // namespace karlo::nets::cpu
