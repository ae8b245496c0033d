#pragma once

#include <immintrin.h>

#include <algorithm>

#include "simd/bf16_loops.h"
#include "simd/winograd_loops.h"

namespace karlo::simd {
namespace {

// The bf16_dot kernels, with the instructions of AVX512-BF16.
struct Avx512Bf16Loops : VectorLoops<16>, Bf16Loops<Avx512Bf16Loops> {
  using Sums = __m512;
  using Pairs = __m512bh;
  static constexpr int64_t kLanes = 16;
  static constexpr int64_t kPairs = 2 * kLanes;  // elements of a vector of pairs

  // Weights come from memory, one or more rows at a time: they are prefetched.
  static constexpr int64_t kPrefetchDistance = 8 * kPairs;
  static KARLO_INLINE void prefetch(const c10::BFloat16* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0);
  }
  static KARLO_INLINE __m512bh pairs_of(__m512i bits) { return bits_as<__m512bh>(bits); }
  // Selects the first `count` of 32 numbers.
  static KARLO_INLINE __mmask32 mask_of(int64_t count) {
    return static_cast<__mmask32>((uint64_t{1} << count) - 1);
  }
  static KARLO_INLINE __m512bh load_pairs(const c10::BFloat16* from) {
    return pairs_of(_mm512_loadu_si512(from));
  }
  static KARLO_INLINE __m512bh load_pairs(const c10::BFloat16* from, int64_t count) {
    return pairs_of(_mm512_maskz_loadu_epi16(mask_of(count), from));
  }
  static KARLO_INLINE __m512 add_dot(__m512 sum, __m512bh a, __m512bh b) {
    return _mm512_dpbf16_ps(sum, a, b);
  }

  static KARLO_INLINE float sum_of(Float vector) {
    return _mm512_reduce_add_ps(bits_as<__m512>(vector));
  }
  static KARLO_INLINE Float larger(Float a, Float b) {
    return bits_as<Float>(_mm512_max_ps(bits_as<__m512>(a), bits_as<__m512>(b)));
  }
  static KARLO_INLINE float max_of(Float vector) {
    return _mm512_reduce_max_ps(bits_as<__m512>(vector));
  }

  // Transposes 16x16 pairs.
  static KARLO_INLINE void transpose(__m512i (&r)[16]) {
    __m512i t[16];
    KARLO_UNROLL
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    KARLO_UNROLL
    for (int i = 0; i < 16; i += 4) {
      r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
      r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
      r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
      r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    // Now quarter q of r[4 j + k] holds column 4 q + k of rows 4 j to 4 j + 3.
    KARLO_UNROLL
    for (int k = 0; k < 4; ++k) {
      t[k] = _mm512_shuffle_i32x4(r[k], r[4 + k], 0x88);
      t[4 + k] = _mm512_shuffle_i32x4(r[k], r[4 + k], 0xdd);
      t[8 + k] = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0x88);
      t[12 + k] = _mm512_shuffle_i32x4(r[8 + k], r[12 + k], 0xdd);
    }
    KARLO_UNROLL
    for (int k = 0; k < 4; ++k) {
      r[k] = _mm512_shuffle_i32x4(t[k], t[8 + k], 0x88);
      r[8 + k] = _mm512_shuffle_i32x4(t[k], t[8 + k], 0xdd);
      r[4 + k] = _mm512_shuffle_i32x4(t[4 + k], t[12 + k], 0x88);
      r[12 + k] = _mm512_shuffle_i32x4(t[4 + k], t[12 + k], 0xdd);
    }
  }

  static void pack(const Packing<c10::BFloat16>& packing) {
    const auto& [weights, weight_stride, rows, in, packed, packed_stride] = packing;
    for (int64_t i = 0; i < in; i += kPairs) {
      const int64_t count = std::min(kPairs, in - i), vectors = (count + 1) / 2;
      const auto mask = mask_of(count);
      __m512i pairs[16];
      KARLO_UNROLL
      for (int64_t row = 0; row < kLanes; ++row) {
        const c10::BFloat16* from = weights + row * weight_stride + i;
        pairs[row] = row < rows ? _mm512_maskz_loadu_epi16(mask, from) : _mm512_setzero_si512();
        if (row < rows) prefetch(from + kPrefetchDistance);
      }
      transpose(pairs);
      c10::BFloat16* to = packed + i / 2 * packed_stride;
      if (vectors == kLanes) {
        KARLO_UNROLL
        for (int64_t v = 0; v < kLanes; ++v) _mm512_storeu_si512(to + v * packed_stride, pairs[v]);
      } else {
        for (int64_t v = 0; v < vectors; ++v) _mm512_storeu_si512(to + v * packed_stride, pairs[v]);
      }
    }
  }

  static void pack_transposed(const Packing<c10::BFloat16>& packing) {
    const auto& [weights, weight_stride, rows, in, packed, packed_stride] = packing;
    const auto mask = static_cast<__mmask16>((1u << rows) - 1);
    for (int64_t i = 0; i < in; i += 2) {
      const c10::BFloat16* from = weights + i * weight_stride;
      const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
      __m512i pairs = even;
      if (i + 1 < in) {
        const __m256i odd = _mm256_maskz_loadu_epi16(mask, from + weight_stride);
        pairs = _mm512_or_si512(even, _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
      }
      _mm512_storeu_si512(packed + i / 2 * packed_stride, pairs);
    }
  }

  template <int kRows, int kVectors>
  static KARLO_INLINE void add_pairs(__m512 (&sums)[kRows][kVectors], const c10::BFloat16* weights,
                                     const __m512i (&x)[kRows]) {
    __m512bh w[kVectors];
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) w[v] = load_pairs(weights + v * kPairs);
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[r][v] = add_dot(sums[r][v], pairs_of(x[r]), w[v]);
    }
  }

  // `kRows` rows, starting at `row`. The sums are held in registers.
  template <int kRows, int kVectors>
  static KARLO_INLINE void matmul_block(const Matmul<c10::BFloat16>& matmul, int64_t row) {
    const c10::BFloat16* x = matmul.x + row * matmul.x_stride;
    const c10::BFloat16* weights = matmul.weights;
    float* to = matmul.sums + row * matmul.sums_stride;
    __m512 sums[kRows][kVectors];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = matmul.accumulate ? _mm512_loadu_ps(to + r * matmul.sums_stride + v * kLanes)
                                       : _mm512_setzero_ps();
      }
    }
    const int64_t whole = matmul.in / 2 * 2;
    for (int64_t i = 0; i < whole; i += 2, weights += kVectors * kPairs) {
      __m512i pairs[kRows];
      KARLO_UNROLL
      for (int r = 0; r < kRows; ++r) {
        int32_t pair;
        std::memcpy(&pair, static_cast<const void*>(x + r * matmul.x_stride + i), sizeof pair);
        pairs[r] = _mm512_set1_epi32(pair);
      }
      add_pairs(sums, weights, pairs);
    }
    if (whole < matmul.in) {
      __m512i pairs[kRows];
      KARLO_UNROLL
      for (int r = 0; r < kRows; ++r) {
        pairs[r] = _mm512_set1_epi32(x[r * matmul.x_stride + whole].x);
      }
      add_pairs(sums, weights, pairs);
    }
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        _mm512_storeu_ps(to + r * matmul.sums_stride + v * kLanes, sums[r][v]);
      }
    }
  }

  // From 288 numbers in nine vectors, every ninth number, starting at each of the first nine.
  static KARLO_INLINE void deinterleave_ninths(const __m512i (&from)[9], __m512i (&ninths)[9]) {
    alignas(64) uint16_t firsts[kPairs];
    for (int lane = 0; lane < kPairs; ++lane) firsts[lane] = static_cast<uint16_t>(9 * lane);
    const __m512i first = _mm512_load_si512(firsts);
    KARLO_UNROLL
    for (int k = 0; k < 9; ++k) {
      const __m512i positions = _mm512_add_epi16(first, _mm512_set1_epi16(static_cast<int16_t>(k)));
      __m512i ninth = _mm512_setzero_si512();
      KARLO_UNROLL
      for (int i = 0; i < 5; ++i) {
        // The lanes whose number is in the vectors 2 i and 2 i + 1.
        uint32_t lanes = 0;
        KARLO_UNROLL
        for (int lane = 0; lane < kPairs; ++lane) {
          if ((9 * lane + k) / 64 == i) lanes |= uint32_t{1} << lane;
        }
        const __m512i upper = i < 4 ? from[2 * i + 1] : _mm512_setzero_si512();
        ninth = _mm512_or_si512(
            ninth, _mm512_maskz_permutex2var_epi16(lanes, from[2 * i], positions, upper));
      }
      ninths[k] = ninth;
    }
  }

  static void transform_winograd_weights(const c10::BFloat16* weights, int64_t count,
                                         WinogradTile tile, c10::BFloat16* components,
                                         int64_t component_stride) {
    for (int64_t i = 0; i < count; i += kPairs, weights += 9 * kPairs) {
      const int64_t part = std::min(kPairs, count - i);
      __m512i from[9], g[9];
      KARLO_UNROLL
      for (int k = 0; k < 9; ++k) {
        prefetch(weights + k * kPairs + kPrefetchDistance);
        const int64_t left = std::clamp<int64_t>(9 * part - k * kPairs, 0, kPairs);
        const auto mask = mask_of(left);
        from[k] = _mm512_maskz_loadu_epi16(mask, weights + k * kPairs);
      }
      deinterleave_ninths(from, g);
      Float lower[9], upper[9];
      KARLO_UNROLL
      for (int k = 0; k < 9; ++k) {
        lower[k] = widen(_mm512_castsi512_si256(g[k]));
        upper[k] = widen(_mm512_extracti64x4_epi64(g[k], 1));
      }
      store_components(lower, tile, std::min(kLanes, part), components + i, component_stride);
      if (part > kLanes) {
        store_components(upper, tile, part - kLanes, components + i + kLanes, component_stride);
      }
    }
  }
  static KARLO_INLINE Float widen(__m256i halves) {
    return bits_as<Float>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
  static KARLO_INLINE void store_components(const Float (&weights)[9], WinogradTile tile,
                                            int64_t count, c10::BFloat16* to,
                                            int64_t component_stride) {
    const auto mask = static_cast<__mmask16>((1u << count) - 1);
    WinogradLoops<16>::each_component(weights, tile, [&](int component, Float value) {
      const __m256bh rounded = _mm512_cvtneps_pbh(bits_as<__m512>(value));
      _mm256_mask_storeu_epi16(to + component * component_stride, mask, bits_as<__m256i>(rounded));
    });
  }
};

}  // namespace
}  // namespace karlo::simd
