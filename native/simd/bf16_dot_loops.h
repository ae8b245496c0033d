#pragma once

#include <immintrin.h>

#include <algorithm>
#include <limits>

#include "simd/winograd_loops.h"

namespace karlo::nets::cpu {
namespace {

// Products of bfloat16 by pairs, with the instructions of AVX512-BF16.
struct PairLoops : VectorLoops<16> {
  static constexpr int64_t kLanes = 16;
  static constexpr int64_t kPairs = 2 * kLanes;  // elements of a vector of pairs

  // Weights come from memory, a row or more at a time: asks for them before they are wanted.
  static constexpr int64_t kAhead = 8 * kPairs;
  static KARLO_INLINE void ahead(const c10::BFloat16* from) {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0);
  }
  static KARLO_INLINE __m512bh pairs_of(__m512i bits) { return bits_as<__m512bh>(bits); }
  // The first `count` of 32.
  static KARLO_INLINE __mmask32 mask_of(int64_t count) {
    return static_cast<__mmask32>((uint64_t{1} << count) - 1);
  }
  static KARLO_INLINE __m512bh load_pairs(const c10::BFloat16* from) {
    return pairs_of(_mm512_loadu_si512(from));
  }
  static KARLO_INLINE __m512bh load_pairs(const c10::BFloat16* from, int64_t count) {
    return pairs_of(_mm512_maskz_loadu_epi16(mask_of(count), from));
  }
  static KARLO_INLINE __m512 times(__m512 sum, __m512bh a, __m512bh b) {
    return _mm512_dpbf16_ps(sum, a, b);
  }

  // 16 rows of 16 pairs to 16 pairs of 16 rows.
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
    // Now r[4 j + k] has, in each quarter q, column 4 q + k of rows 4 j to 4 j + 3.
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

  static void pack(const PairPacking& packing) {
    const auto& [weights, stride, rows, in, to, step] = packing;
    for (int64_t i = 0; i < in; i += kPairs) {
      const int64_t count = std::min(kPairs, in - i), vectors = (count + 1) / 2;
      const auto mask = mask_of(count);
      __m512i pairs[16];
      KARLO_UNROLL
      for (int64_t row = 0; row < kLanes; ++row) {
        const c10::BFloat16* from = weights + row * stride + i;
        pairs[row] = row < rows ? _mm512_maskz_loadu_epi16(mask, from) : _mm512_setzero_si512();
        if (row < rows) ahead(from + kAhead);
      }
      transpose(pairs);
      c10::BFloat16* first = to + i / 2 * step;
      if (vectors == kLanes) {
        KARLO_UNROLL
        for (int64_t v = 0; v < kLanes; ++v) _mm512_storeu_si512(first + v * step, pairs[v]);
      } else {
        for (int64_t v = 0; v < vectors; ++v) _mm512_storeu_si512(first + v * step, pairs[v]);
      }
    }
  }

  static void pack_columns(const PairPacking& packing) {
    const auto& [weights, stride, rows, in, to, step] = packing;
    const auto mask = static_cast<__mmask16>((1u << rows) - 1);
    for (int64_t i = 0; i < in; i += 2) {
      const c10::BFloat16* from = weights + i * stride;
      const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
      __m512i pairs = even;
      if (i + 1 < in) {
        const __m256i odd = _mm256_maskz_loadu_epi16(mask, from + stride);
        pairs = _mm512_or_si512(even, _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
      }
      _mm512_storeu_si512(to + i / 2 * step, pairs);
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
      for (int v = 0; v < kVectors; ++v) sums[r][v] = times(sums[r][v], pairs_of(x[r]), w[v]);
    }
  }

  // Rows from `row` on, whose sums are held in registers.
  template <int kRows, int kVectors>
  static KARLO_INLINE void product_block(const PairProduct& product, int64_t row) {
    const c10::BFloat16* x = product.x + row * product.stride;
    const c10::BFloat16* weights = product.weights;
    float* to = product.sums + row * product.step;
    __m512 sums[kRows][kVectors];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] =
            product.add ? _mm512_loadu_ps(to + r * product.step + v * kLanes) : _mm512_setzero_ps();
      }
    }
    const int64_t whole = product.in / 2 * 2;
    for (int64_t i = 0; i < whole; i += 2, weights += kVectors * kPairs) {
      __m512i pairs[kRows];
      KARLO_UNROLL
      for (int r = 0; r < kRows; ++r) {
        int32_t pair;
        std::memcpy(&pair, static_cast<const void*>(x + r * product.stride + i), sizeof pair);
        pairs[r] = _mm512_set1_epi32(pair);
      }
      add_pairs(sums, weights, pairs);
    }
    if (whole < product.in) {
      __m512i pairs[kRows];
      KARLO_UNROLL
      for (int r = 0; r < kRows; ++r) {
        pairs[r] = _mm512_set1_epi32(x[r * product.stride + whole].x);
      }
      add_pairs(sums, weights, pairs);
    }
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        _mm512_storeu_ps(to + r * product.step + v * kLanes, sums[r][v]);
      }
    }
  }

  // At most `kRows` rows at a time: as many as the registers hold.
  template <int kRows, int kVectors>
  static void product_of(const PairProduct& product) {
    int64_t row = 0;
    for (; row + kRows <= product.rows; row += kRows) product_block<kRows, kVectors>(product, row);
    if (kRows > 8 && row + 8 <= product.rows) {
      product_block<8, kVectors>(product, row);
      row += 8;
    }
    if (row + 4 <= product.rows) {
      product_block<4, kVectors>(product, row);
      row += 4;
    }
    if (row + 2 <= product.rows) {
      product_block<2, kVectors>(product, row);
      row += 2;
    }
    if (row < product.rows) product_block<1, kVectors>(product, row);
  }

  static void product(const PairProduct& product) {
    switch (product.vectors) {
      case 4:
        return product_of<6, 4>(product);
      case 3:
        return product_of<8, 3>(product);
      case 2:
        return product_of<12, 2>(product);
      default:
        return product_of<12, 1>(product);
    }
  }

  static void finish(const PairSums& sums) {
    for (int64_t row = 0; row < sums.rows; ++row) {
      const float* from = sums.sums + row * sums.stride;
      const float factor = sums.factors != nullptr ? sums.factors[row] : 1.0f;
      each_vector(sums.count, [&](int64_t c, auto load_it, auto store_it) {
        Float value = load_it(from + c) * factor;
        if (sums.bias != nullptr) value += load_it(sums.bias + c);
        if (sums.residual != nullptr) value += load_it(sums.residual + row * sums.step + c);
        store_it(value, sums.y + row * sums.step + c);
      });
    }
  }

  static void softmax(const PairSoftmax& softmax) {
    const auto& [logits, rows, width, scale, bias, y, factors] = softmax;
    for (int64_t row = 0; row < rows; ++row) {
      float* from = logits + row * width;
      __m512 most = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
      for (int64_t c = 0; c < width; c += kLanes) {
        const Float x = load(from + c) * scale + load(bias + c);
        store(x, from + c);
        most = _mm512_max_ps(most, bits_as<__m512>(x));
      }
      const float highest = _mm512_reduce_max_ps(most);
      Float sums = all_of(0.0f);
      for (int64_t c = 0; c < width; c += kLanes) {
        const Float x = load(from + c) - highest;
        const Float e = x < all_of(-80.0f) ? all_of(0.0f) : exponential(x);
        sums += e;
        store(e, y + row * width + c);
      }
      factors[row] = 1.0f / _mm512_reduce_add_ps(bits_as<__m512>(sums));
    }
  }

  // Every ninth number from each of the first nine on, of 288 that lie in nine vectors.
  static KARLO_INLINE void take_ninths(const __m512i (&from)[9], __m512i (&ninths)[9]) {
    alignas(64) uint16_t firsts[kPairs];
    for (int lane = 0; lane < kPairs; ++lane) firsts[lane] = static_cast<uint16_t>(9 * lane);
    const __m512i first = _mm512_load_si512(firsts);
    KARLO_UNROLL
    for (int k = 0; k < 9; ++k) {
      const __m512i at = _mm512_add_epi16(first, _mm512_set1_epi16(static_cast<int16_t>(k)));
      __m512i all = _mm512_setzero_si512();
      KARLO_UNROLL
      for (int two = 0; two < 5; ++two) {
        // Lanes whose number lies in these two vectors.
        uint32_t here = 0;
        KARLO_UNROLL
        for (int lane = 0; lane < kPairs; ++lane) {
          if ((9 * lane + k) / 64 == two) here |= uint32_t{1} << lane;
        }
        const __m512i upper = two < 4 ? from[2 * two + 1] : _mm512_setzero_si512();
        all = _mm512_or_si512(all, _mm512_maskz_permutex2var_epi16(here, from[2 * two], at, upper));
      }
      ninths[k] = all;
    }
  }

  static void winograd_weights(const c10::BFloat16* weights, int64_t count, bool doubled,
                               c10::BFloat16* components, int64_t plane) {
    for (int64_t i = 0; i < count; i += kPairs, weights += 9 * kPairs) {
      const int64_t part = std::min(kPairs, count - i);
      __m512i from[9], own[9];
      KARLO_UNROLL
      for (int k = 0; k < 9; ++k) {
        ahead(weights + k * kPairs + kAhead);
        const int64_t left = std::clamp<int64_t>(9 * part - k * kPairs, 0, kPairs);
        const auto mask = mask_of(left);
        from[k] = _mm512_maskz_loadu_epi16(mask, weights + k * kPairs);
      }
      take_ninths(from, own);
      Float lower[9], upper[9];
      KARLO_UNROLL
      for (int k = 0; k < 9; ++k) {
        lower[k] = widen(_mm512_castsi512_si256(own[k]));
        upper[k] = widen(_mm512_extracti64x4_epi64(own[k], 1));
      }
      put_components(lower, doubled, std::min(kLanes, part), components + i, plane);
      if (part > kLanes) {
        put_components(upper, doubled, part - kLanes, components + i + kLanes, plane);
      }
    }
  }
  static KARLO_INLINE Float widen(__m256i halves) {
    return bits_as<Float>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
  static KARLO_INLINE void put_components(const Float (&weights)[9], bool doubled, int64_t count,
                                          c10::BFloat16* to, int64_t plane) {
    const auto mask = static_cast<__mmask16>((1u << count) - 1);
    WinogradLoops<16>::each_component(weights, doubled, [&](int component, Float value) {
      const __m256bh rounded = _mm512_cvtneps_pbh(bits_as<__m512>(value));
      _mm256_mask_storeu_epi16(to + component * plane, mask, bits_as<__m256i>(rounded));
    });
  }

  // `kCount` results of each of `kRows` rows, from `row` on, held in registers.
  template <int kRows, int kCount>
  static KARLO_INLINE void dot_block(const FewRows<c10::BFloat16>& few, int64_t row,
                                     int64_t first) {
    const c10::BFloat16* x = few.x + row * few.in;
    const c10::BFloat16* weights = few.weights + first * few.in;
    __m512 sums[kRows][kCount];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) sums[r][o] = _mm512_setzero_ps();
    }
    const auto add = [&](auto load_it) {
      __m512bh w[kCount];
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) w[o] = load_it(weights + o * few.in);
      KARLO_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const __m512bh value = load_it(x + r * few.in);
        KARLO_UNROLL
        for (int o = 0; o < kCount; ++o) sums[r][o] = times(sums[r][o], value, w[o]);
      }
    };
    const int64_t whole = few.in / kPairs * kPairs, rest = few.in - whole;
    for (int64_t i = 0; i < whole; i += kPairs) {
      // Each row of weights may begin a page, where the processor stops looking ahead.
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) {
        ahead(weights + (kCount + o) * few.in + i);
      }
      add([i](const c10::BFloat16* from) { return load_pairs(from + i); });
    }
    if (rest > 0) {
      add([=](const c10::BFloat16* from) { return load_pairs(from + whole, rest); });
    }
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) {
        float sum = _mm512_reduce_add_ps(sums[r][o]);
        if (few.bias != nullptr) sum += static_cast<float>(few.bias[first + o]);
        few.y[(row + r) * few.stride + first + o] = sum;
      }
    }
  }

  static void dot(const FewRows<c10::BFloat16>& few) {
    each_block<4>(few, [&](auto rows, auto count, int64_t row, int64_t first) {
      dot_block<rows, count>(few, row, first);
    });
  }
};

}  // namespace
}  // namespace karlo::nets::cpu
