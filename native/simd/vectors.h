#pragma once

#if defined(__AVX512BF16__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#include <arm_neon.h>
#endif

#include <cstring>
#include <limits>

#include "simd/kernels.h"

// The *_loops.h headers are compiled into base.cc, avx2.cc and so on, with different compiler
// flags. Everything in them is local to those files: the linker must never merge two copies and
// keep one that the processor cannot run.
#ifdef __GNUC__
#define KARLO_INLINE inline __attribute__((always_inline))
#define KARLO_INLINE_LAMBDA __attribute__((always_inline))
#define KARLO_UNROLL _Pragma("GCC unroll 16")
#else
#define KARLO_INLINE inline
#define KARLO_INLINE_LAMBDA
#define KARLO_UNROLL
#endif

// How many vector registers the loops may fill.
#ifndef KARLO_VECTOR_REGISTERS
#ifdef __AVX512F__
#define KARLO_VECTOR_REGISTERS 32
#else
#define KARLO_VECTOR_REGISTERS 16
#endif
#endif

namespace karlo::simd {
namespace {

constexpr bool kManyRegisters = KARLO_VECTOR_REGISTERS >= 32;

// `kLanes` floats, and as many integers.
template <int kLanes>
struct Vectors;

#ifdef __GNUC__
#define KARLO_VECTORS(lanes)                                                                 \
  template <>                                                                                \
  struct Vectors<lanes> {                                                                    \
    typedef float Float __attribute__((vector_size(lanes * 4)));                             \
    typedef int32_t Int __attribute__((vector_size(lanes * 4)));                             \
    typedef uint32_t Bits __attribute__((vector_size(lanes * 4)));                           \
    typedef uint16_t Halves __attribute__((vector_size(lanes * 2)));                         \
    static KARLO_INLINE Int to_int(Float x) { return __builtin_convertvector(x, Int); }      \
    static KARLO_INLINE Bits widen(Halves x) { return __builtin_convertvector(x, Bits); }    \
    static KARLO_INLINE Halves narrow(Bits x) { return __builtin_convertvector(x, Halves); } \
  };
KARLO_VECTORS(4)
KARLO_VECTORS(8)
KARLO_VECTORS(16)
#else
template <>
struct Vectors<1> {
  using Float = float;
  using Int = int32_t;
  using Bits = uint32_t;
  using Halves = uint16_t;
  static Int to_int(Float x) { return static_cast<Int>(x); }
  static Bits widen(Halves x) { return x; }
  static Halves narrow(Bits x) { return static_cast<Halves>(x); }
};
#endif

template <typename To, typename From>
KARLO_INLINE To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From), "the sizes must be equal");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// Operations on vectors of `kLanes` floats.
template <int kLanes>
struct VectorLoops {
  using V = Vectors<kLanes>;
  using Float = typename V::Float;

  static KARLO_INLINE Float broadcast(float value) { return Float{} + value; }
  static KARLO_INLINE Float load(const float* from) {
    Float vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static KARLO_INLINE Float load(const c10::BFloat16* from) {
    typename V::Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    return bits_as<Float>(V::widen(halves) << 16);
  }
  static KARLO_INLINE void store(Float vector, float* to) {
    std::memcpy(to, &vector, sizeof vector);
  }
  // Rounds half to even, as LibTorch does, and keeps NaN. (The instruction of x86 flushes subnormal
  // numbers to zero.)
  static KARLO_INLINE void store(Float vector, c10::BFloat16* to) {
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    if constexpr (kLanes == 4) {
      const auto halves = vcvt_bf16_f32(bits_as<float32x4_t>(vector));
      std::memcpy(static_cast<void*>(to), &halves, sizeof halves);
      return;
    }
#elif defined(__AVX512BF16__)
    if constexpr (kLanes == 16) {
      const auto halves = _mm512_cvtneps_pbh(bits_as<__m512>(vector));
      std::memcpy(static_cast<void*>(to), &halves, sizeof halves);
      return;
    }
#endif
    using Bits = typename V::Bits;
    const Bits bits = bits_as<Bits>(vector);
    const Bits rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    const auto halves = V::narrow(vector != vector ? Bits{} + 0x7fc0 : rounded);
    std::memcpy(static_cast<void*>(to), &halves, sizeof halves);
  }

  // exp(x) = 2^n * exp(f), with n an integer and |f| <= ln(2) / 2. The Taylor polynomial of exp(f)
  // has an error below float32's rounding. x is clamped to +-87.
  static KARLO_INLINE Float exponential(Float x) {
    const Float lowest = broadcast(-87.0f), highest = broadcast(87.0f);
    x = x < lowest ? lowest : x;
    x = x > highest ? highest : x;
    const Float round = broadcast(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    const Float n = (x * 1.44269504088896341f + round) - round;
    // ln 2 in two parts, of which the first is short enough for an exact product (Cody & Waite).
    const Float f = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Float p = broadcast(1.0f / 5040);
    p = p * f + 1.0f / 720;
    p = p * f + 1.0f / 120;
    p = p * f + 1.0f / 24;
    p = p * f + 1.0f / 6;
    p = p * f + 0.5f;
    p = p * f + 1.0f;
    p = p * f + 1.0f;
    return p * bits_as<Float>((V::to_int(n) + 127) << 23);
  }

  static KARLO_INLINE Float silu(Float x) { return x / (exponential(-x) + 1.0f); }

  // Loads or stores the first `count` lanes; the others are zeros.
  template <typename T>
  static KARLO_INLINE Float load_part(const T* from, int64_t count) {
    T values[kLanes] = {};
    std::memcpy(static_cast<void*>(values), from, count * sizeof(T));
    return load(values);
  }
  template <typename T>
  static KARLO_INLINE void store_part(Float vector, T* to, int64_t count) {
    T values[kLanes];
    store(vector, values);
    std::memcpy(static_cast<void*>(to), values, count * sizeof(T));
  }
  // Adds the lanes in order.
  static KARLO_INLINE float sum_of(Float vector) {
    float lanes[kLanes];
    store(vector, lanes);
    float sum = 0;
    for (const float lane : lanes) sum += lane;
    return sum;
  }
  static KARLO_INLINE Float larger(Float a, Float b) { return b > a ? b : a; }
  static KARLO_INLINE float max_of(Float vector) {
    float lanes[kLanes];
    store(vector, lanes);
    float max = lanes[0];
    for (const float lane : lanes) max = lane > max ? lane : max;
    return max;
  }

  // Calls f(channel, load, store) for each vector of channels. The last may be shorter.
  template <typename F>
  static KARLO_INLINE void each_vector(int64_t channels, const F& f) {
    const int64_t whole = channels / kLanes * kLanes, rest = channels - whole;
    for (int64_t c = 0; c < whole; c += kLanes) {
      f(
          c, [](const auto* from) { return load(from); },
          [](Float vector, auto* to) { store(vector, to); });
    }
    if (rest == 0) return;
    f(
        whole, [rest](const auto* from) { return load_part(from, rest); },
        [rest](Float vector, auto* to) { store_part(vector, to, rest); });
  }
};

}  // namespace
}  // namespace karlo::simd
