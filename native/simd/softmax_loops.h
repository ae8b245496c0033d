#pragma once

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// The softmax of one row: writes exp(x - max x) to y and returns the reciprocal of the sum.
// `load_logits(c)` returns the vector of x at column c and leaves it in `logits`. `Loops` reduces
// vectors.
template <typename Loops, typename T, typename F>
KARLO_INLINE float softmax_row(float* logits, int64_t width, T* y, const F& load_logits) {
  using Float = typename Loops::Float;
  constexpr int64_t kLanes = sizeof(Float) / sizeof(float);
  Float most = Loops::broadcast(-std::numeric_limits<float>::infinity());
  for (int64_t c = 0; c < width; c += kLanes) most = Loops::larger(most, load_logits(c));
  const float max = Loops::max_of(most);
  Float sums = Loops::broadcast(0.0f);
  for (int64_t c = 0; c < width; c += kLanes) {
    const Float x = Loops::load(logits + c) - max;
    // Subnormal numbers would slow the processor down: numbers below exp(-80) become zero.
    const Float e = x < Loops::broadcast(-80.0f) ? Loops::broadcast(0.0f) : Loops::exponential(x);
    sums += e;
    Loops::store(e, y + c);
  }
  return 1.0f / Loops::sum_of(sums);
}

template <int kLanes>
struct SoftmaxLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;

  static void softmax(float* rows, int64_t count, int64_t width) {
    for (float* row = rows; row < rows + count * width; row += width) {
      const auto load_logits = [row](int64_t c) { return Base::load(row + c); };
      const float reciprocal_sum = softmax_row<Base>(row, width, row, load_logits);
      for (int64_t c = 0; c < width; c += kLanes) {
        Base::store(Base::load(row + c) * reciprocal_sum, row + c);
      }
    }
  }
};

}  // namespace
}  // namespace karlo::simd
