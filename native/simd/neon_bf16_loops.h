#pragma once

#include <arm_neon.h>

#include <algorithm>

#include "simd/bf16_loops.h"
#include "simd/winograd_loops.h"

namespace karlo::simd {
namespace {

// The bf16_dot kernels, with the bfloat16 instructions of Armv8.6. BFMMLA multiplies four inputs of
// two rows with those of two results, so weights are packed in groups of four inputs.
struct NeonBf16Loops : VectorLoops<4>, Bf16Loops<NeonBf16Loops> {
  using Sums = float32x4_t;
  using Pairs = bfloat16x8_t;
  static constexpr int64_t kLanes = 4;
  static constexpr int64_t kPairs = 2 * kLanes;  // elements of a vector of pairs
  static constexpr int64_t kGroup = 4;           // inputs

  static KARLO_INLINE void prefetch(const c10::BFloat16* from) { __builtin_prefetch(from); }
  static KARLO_INLINE bfloat16x8_t load_pairs(const c10::BFloat16* from, int64_t count = kPairs) {
    bfloat16x8_t pairs{};
    std::memcpy(static_cast<void*>(&pairs), from, count * sizeof *from);
    return pairs;
  }
  // The other elements are zeros.
  static KARLO_INLINE uint16x4_t load_group(const c10::BFloat16* from, int64_t count = kGroup) {
    if (count == kGroup) return vld1_u16(&from->x);
    uint16x4_t group{};
    std::memcpy(static_cast<void*>(&group), from, count * sizeof *from);
    return group;
  }
  static KARLO_INLINE float32x4_t add_dot(float32x4_t sum, bfloat16x8_t a, bfloat16x8_t b) {
    return vbfdotq_f32(sum, a, b);
  }

  static void pack(const Packing<c10::BFloat16>& packing) {
    const auto& [weights, weight_stride, rows, in, packed, packed_stride] = packing;
    for (int64_t i = 0; i < in; i += kGroup) {
      const int64_t count = std::min(kGroup, in - i);
      c10::BFloat16* to = packed + i / kGroup * packed_stride;
      for (int64_t row = 0; row < kLanes; ++row) {
        const c10::BFloat16* from = weights + row * weight_stride + i;
        const uint16x4_t group = row < rows ? load_group(from, count) : uint16x4_t{};
        vst1_u16(&to[row * kGroup].x, group);
      }
    }
  }

  static void pack_transposed(const Packing<c10::BFloat16>& packing) {
    const auto& [weights, weight_stride, rows, in, packed, packed_stride] = packing;
    for (int64_t i = 0; i < in; i += kGroup) {
      uint16x4x4_t inputs{};
      for (int64_t k = 0; k < std::min(kGroup, in - i); ++k) {
        inputs.val[k] = load_group(weights + (i + k) * weight_stride, rows);
      }
      vst4_u16(&packed[i / kGroup * packed_stride].x, inputs);
    }
  }

  // `kRows` rows, starting at `row`. The sums are held in registers: each vector has two results of
  // two rows. A single row is multiplied twice.
  template <int kRows, int kVectors>
  static KARLO_INLINE void matmul_block(const Matmul<c10::BFloat16>& matmul, int64_t row) {
    constexpr int kRowPairs = (kRows + 1) / 2, kResultPairs = 2 * kVectors;
    const auto row_of = [row](int r) { return row + (r < kRows ? r : 0); };
    float32x4_t sums[kRowPairs][kResultPairs];
    KARLO_UNROLL
    for (int p = 0; p < kRowPairs; ++p) {
      const float* upper = matmul.sums + row_of(2 * p) * matmul.sums_stride;
      const float* lower = matmul.sums + row_of(2 * p + 1) * matmul.sums_stride;
      KARLO_UNROLL
      for (int r = 0; r < kResultPairs; ++r) {
        sums[p][r] = matmul.accumulate
                         ? vcombine_f32(vld1_f32(upper + 2 * r), vld1_f32(lower + 2 * r))
                         : float32x4_t{};
      }
    }
    const c10::BFloat16* weights = matmul.weights;
    const auto add = [&](int64_t i, int64_t count) KARLO_INLINE_LAMBDA {
      bfloat16x8_t x[kRowPairs];
      KARLO_UNROLL
      for (int p = 0; p < kRowPairs; ++p) {
        const c10::BFloat16* upper = matmul.x + row_of(2 * p) * matmul.x_stride + i;
        const c10::BFloat16* lower = matmul.x + row_of(2 * p + 1) * matmul.x_stride + i;
        x[p] = vreinterpretq_bf16_u16(
            vcombine_u16(load_group(upper, count), load_group(lower, count)));
      }
      KARLO_UNROLL
      for (int r = 0; r < kResultPairs; ++r, weights += kPairs) {
        const bfloat16x8_t w = load_pairs(weights);
        KARLO_UNROLL
        for (int p = 0; p < kRowPairs; ++p) sums[p][r] = vbfmmlaq_f32(sums[p][r], x[p], w);
      }
    };
    const int64_t whole = matmul.in / kGroup * kGroup;
    for (int64_t i = 0; i < whole; i += kGroup) add(i, kGroup);
    if (whole < matmul.in) add(whole, matmul.in - whole);
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      float* to = matmul.sums + (row + r) * matmul.sums_stride;
      KARLO_UNROLL
      for (int v = 0; v < kResultPairs; ++v) {
        const float32x4_t both = sums[r / 2][v];
        vst1_f32(to + 2 * v, r % 2 == 0 ? vget_low_f32(both) : vget_high_f32(both));
      }
    }
  }
};

}  // namespace
}  // namespace karlo::simd
