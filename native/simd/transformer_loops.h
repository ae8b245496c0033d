#pragma once

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// The element-wise parts of a transformer block.
template <int kLanes>
struct TransformerLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::broadcast;
  using Base::each_vector;
  using Base::exponential;
  using Base::load;
  using Base::store;

  // LayerNorm of each row (Ba et al. 2016). Variances are of differences from the mean.
  static void layer_norm(const LayerNormRows& norm) {
    for (int64_t row = 0; row < norm.count; ++row) {
      const float* x = norm.rows + row * norm.channels;
      float* y = norm.y + row * norm.channels;
      const float mean = sum(x, norm.channels, 0.0f, false) / static_cast<float>(norm.channels);
      const float variance = sum(x, norm.channels, mean, true) / static_cast<float>(norm.channels);
      const float scale = 1.0f / __builtin_sqrtf(variance + norm.eps);
      each_vector(norm.channels, [&](int64_t c, auto load_it, auto store_it) {
        const Float normalized = (load_it(x + c) - mean) * scale;
        store_it(normalized * load_it(norm.weight + c) + load_it(norm.bias + c), y + c);
      });
    }
  }

  // The sum of x - center, or of its squares.
  static KARLO_INLINE float sum(const float* x, int64_t count, float center, bool squared) {
    const int64_t whole = count / kLanes * kLanes;
    Float sums = broadcast(0.0f);
    for (int64_t c = 0; c < whole; c += kLanes) {
      const Float difference = load(x + c) - center;
      sums += squared ? difference * difference : difference;
    }
    float total = Base::sum_of(sums);
    for (int64_t c = whole; c < count; ++c) {
      const float difference = x[c] - center;
      total += squared ? difference * difference : difference;
    }
    return total;
  }

  // x * (1 + erf(x / sqrt(2))) / 2, in place (Hendrycks & Gimpel 2016).
  static void gelu(float* x, int64_t count) {
    each_vector(count, [&](int64_t c, auto load_it, auto store_it) {
      const Float value = load_it(x + c);
      store_it(value * 0.5f * (1.0f + error_function(value * 0.70710678f)), x + c);
    });
  }

  // x * sigmoid(1.702 x), in place (Hendrycks & Gimpel 2016, section 2).
  static void quick_gelu(float* x, int64_t count) {
    each_vector(count, [&](int64_t c, auto load_it, auto store_it) {
      const Float value = load_it(x + c);
      store_it(value / (exponential(value * -1.702f) + 1.0f), x + c);
    });
  }

  // erf(x): up to 1, x times a polynomial of x^2; above, 1 - exp(-x^2) times a polynomial of
  // 1 / (1 + x / 2). Both were fitted by least squares at Chebyshev nodes, and are off by one unit
  // in the last place. From 4 on, the result is 1.
  static KARLO_INLINE Float error_function(Float x) {
    const Float magnitude = x < broadcast(0.0f) ? -x : x;
    const Float a = magnitude > broadcast(4.0f) ? broadcast(4.0f) : magnitude;
    const Float squared = a * a;
    const Float below = a * polynomial(squared, {1.128379225730896f, -0.37612637877464294f,
                                                 0.11283782869577408f, -0.026865437626838684f,
                                                 0.005221053492277861f, -0.0008484396385028958f,
                                                 0.00011268253729213029f, -9.673590284364764e-06f});
    const Float above =
        1.0f - exponential(-squared) *
                   polynomial(1.0f / (1.0f + 0.5f * a),
                              {0.0006064087501727045f, 0.2736181616783142f, 0.33084067702293396f,
                               0.10126824676990509f, 0.4038383662700653f, -0.057338736951351166f,
                               -0.05354061722755432f, 0.0f});
    const Float result = a < broadcast(1.0f) ? below : above;
    return x < broadcast(0.0f) ? -result : result;
  }

  static KARLO_INLINE Float polynomial(Float x, const float (&coefficients)[8]) {
    Float sum = broadcast(coefficients[7]);
    KARLO_UNROLL
    for (int i = 6; i >= 0; --i) sum = sum * x + coefficients[i];
    return sum;
  }
};

}  // namespace
}  // namespace karlo::simd
