#pragma once

#include <type_traits>

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

template <int value>
using Constant = std::integral_constant<int, value>;

// Calls f(rows, results, row, first) for blocks of at most six rows and `kOut` results, whose sums
// fit in the registers. All rows come first, while their weights are in the cache.
template <int kOut, typename T, typename F>
void each_block(const SkinnyMatmul<T>& matmul, const F& f) {
  const auto each_row = [&](auto results, int64_t first) {
    int64_t row = 0;
    for (; row + 6 <= matmul.rows; row += 6) f(Constant<6>(), results, row, first);
    switch (matmul.rows - row) {
      case 5:
        return f(Constant<5>(), results, row, first);
      case 4:
        return f(Constant<4>(), results, row, first);
      case 3:
        return f(Constant<3>(), results, row, first);
      case 2:
        return f(Constant<2>(), results, row, first);
      case 1:
        return f(Constant<1>(), results, row, first);
      default:
        return;
    }
  };
  int64_t first = 0;
  for (; first + kOut <= matmul.out; first += kOut) each_row(Constant<kOut>(), first);
  for (; first < matmul.out; ++first) each_row(Constant<1>(), first);
}

// A matrix product with few rows.
template <int kLanes>
struct SkinnyMatmulLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::broadcast;
  using Base::load;
  using Base::store;
  using Base::sum_of;

  // Elements that block() reads at once. For bfloat16 these are two vectors, the even elements and
  // the odd ones, which are the lower and the upper halves of 32 bits.
  static constexpr int64_t step_of(const float*) { return kLanes; }
  static constexpr int64_t step_of(const c10::BFloat16*) { return 2 * kLanes; }

  // Converts a row to float32 in that order.
  static void deinterleave(const c10::BFloat16* row, int64_t count, float* to) {
    const int64_t whole = count / (2 * kLanes) * (2 * kLanes);
    for (int64_t i = 0; i < whole; i += 2 * kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        to[i + lane] = row[i + 2 * lane];
        to[i + kLanes + lane] = row[i + 2 * lane + 1];
      }
    }
    for (int64_t i = whole; i < count; ++i) to[i] = row[i];
  }

  template <int kRows, int kOut>
  static KARLO_INLINE void add_products(Float (&sums)[kRows][kOut], const Float (&w)[kOut],
                                        const float* x, int64_t in) {
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Float value = load(x + r * in);
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) sums[r][o] += w[o] * value;
    }
  }
  template <int kRows, int kOut>
  static KARLO_INLINE void add_step(Float (&sums)[kRows][kOut], const float* weights,
                                    const float* x, int64_t in) {
    Float w[kOut];
    KARLO_UNROLL
    for (int o = 0; o < kOut; ++o) w[o] = load(weights + o * in);
    add_products(sums, w, x, in);
  }
  template <int kRows, int kOut>
  static KARLO_INLINE void add_step(Float (&sums)[kRows][kOut], const c10::BFloat16* weights,
                                    const float* x, int64_t in) {
    // Loaded twice: there are not enough registers to keep them.
    const auto load_bits = [&](int o) {
      typename V::Bits bits;
      std::memcpy(&bits, static_cast<const void*>(weights + o * in), sizeof bits);
      return bits;
    };
    Float w[kOut];
    KARLO_UNROLL
    for (int o = 0; o < kOut; ++o) w[o] = bits_as<Float>(load_bits(o) << 16);
    add_products(sums, w, x, in);
    KARLO_UNROLL
    for (int o = 0; o < kOut; ++o) w[o] = bits_as<Float>(load_bits(o) & 0xffff0000u);
    add_products(sums, w, x + kLanes, in);
  }

  // `kOut` results for each of `kRows` rows, starting at `row` and `first`. The sums are held in
  // registers.
  template <int kRows, int kOut, typename T>
  static KARLO_INLINE void block(const SkinnyMatmul<T>& matmul, const float* all, int64_t row,
                                 int64_t first) {
    const int64_t in = matmul.in, step = step_of(matmul.weights), whole = in / step * step;
    const float* x = all + row * in;
    const T* weights = matmul.weights + first * in;
    // Every loop over the sums is unrolled: otherwise they would not stay in registers.
    Float sums[kRows][kOut];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) sums[r][o] = broadcast(0.0f);
    }
    for (int64_t i = 0; i < whole; i += step) add_step(sums, weights + i, x + i, in);
    float totals[kRows][kOut];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) totals[r][o] = sum_of(sums[r][o]);
    }
    for (int r = 0; r < kRows; ++r) {
      for (int o = 0; o < kOut; ++o) {
        float sum = totals[r][o];
        for (int64_t i = whole; i < in; ++i) {
          sum += x[r * in + i] * static_cast<float>(weights[o * in + i]);
        }
        if (matmul.bias != nullptr) sum += static_cast<float>(matmul.bias[first + o]);
        matmul.y[(row + r) * matmul.y_stride + first + o] = static_cast<T>(sum);
      }
    }
  }

  static void skinny_matmul(const SkinnyMatmul<float>& matmul) { multiply(matmul, matmul.x); }
  static void skinny_matmul(const SkinnyMatmul<c10::BFloat16>& matmul) {
    for (int64_t row = 0; row < matmul.rows; ++row) {
      deinterleave(matmul.x + row * matmul.in, matmul.in, matmul.scratch + row * matmul.in);
    }
    multiply(matmul, matmul.scratch);
  }

  template <typename T>
  static KARLO_INLINE void multiply(const SkinnyMatmul<T>& matmul, const float* x) {
    each_block<kManyRegisters ? 4 : 2>(matmul,
                                       [&](auto rows, auto results, int64_t row, int64_t first) {
                                         block<rows, results>(matmul, x, row, first);
                                       });
  }
};

}  // namespace
}  // namespace karlo::simd
