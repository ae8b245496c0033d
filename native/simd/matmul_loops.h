#pragma once

#include <algorithm>

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// Matrix products with packed weights in float32, and the epilogue of those in any dtype.
template <int kLanes>
struct MatmulLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::broadcast;
  using Base::each_vector;
  using Base::load;
  using Base::store;

  // As many sums as the registers hold, with the vectors of weights and of a row: 6 x 4 in 32
  // registers, 6 x 2 in 16.
  static constexpr int kPanelVectors = kManyRegisters ? 4 : 2;

  static void pack(const Packing<float>& packing) {
    const auto& [weights, weight_stride, rows, in, packed, packed_stride] = packing;
    for (int64_t i = 0; i < in; ++i) {
      float* to = packed + i * packed_stride;
      for (int64_t row = 0; row < kLanes; ++row) {
        to[row] = row < rows ? weights[row * weight_stride + i] : 0.0f;
      }
    }
  }

  static void pack_transposed(const Packing<float>& packing) {
    const auto& [weights, weight_stride, rows, in, packed, packed_stride] = packing;
    for (int64_t i = 0; i < in; ++i) {
      store(Base::load_part(weights + i * weight_stride, rows), packed + i * packed_stride);
    }
  }

  static constexpr int64_t kCacheLine = 64 / sizeof(float);

  // Each row may be on another page, where the processor's own prefetching stops.
  template <int kRows>
  static KARLO_INLINE void prefetch_rows(const float* from, int64_t stride) {
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) __builtin_prefetch(from + r * stride);
  }

  // `kRows` rows, starting at `row`. The sums are held in registers.
  template <int kRows, int kVectors>
  static KARLO_INLINE void block(const Matmul<float>& matmul, int64_t row) {
    // A pointer for every three rows: one per row would not fit in the registers.
    constexpr int kGroups = (kRows + 2) / 3;
    const int64_t stride = matmul.x_stride;
    const float* x[kGroups];
    KARLO_UNROLL
    for (int g = 0; g < kGroups; ++g) x[g] = matmul.x + (row + 3 * g) * stride;
    const float* weights = matmul.weights;
    Float sums[kRows][kVectors];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[r][v] = broadcast(0.0f);
    }
    for (int64_t i = 0; i < matmul.in;) {
      prefetch_rows<kRows>(matmul.x + (row + kRows) * stride + i, stride);
      for (const int64_t end = std::min(i + kCacheLine, matmul.in); i < end; ++i) {
        Float w[kVectors];
        KARLO_UNROLL
        for (int v = 0; v < kVectors; ++v) w[v] = load(weights + v * kLanes);
        KARLO_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const float value = x[r / 3][r % 3 * stride];
          KARLO_UNROLL
          for (int v = 0; v < kVectors; ++v) sums[r][v] += w[v] * value;
        }
        KARLO_UNROLL
        for (int g = 0; g < kGroups; ++g) ++x[g];
        weights += kVectors * kLanes;
      }
    }
    float* to = matmul.sums + row * matmul.sums_stride;
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        float* sum = to + r * matmul.sums_stride + v * kLanes;
        store(matmul.accumulate ? load(sum) + sums[r][v] : sums[r][v], sum);
      }
    }
  }

  // At most `kRows` rows at a time.
  template <int kRows, int kVectors>
  static void rows(const Matmul<float>& matmul) {
    int64_t row = 0;
    for (; row + kRows <= matmul.rows; row += kRows) block<kRows, kVectors>(matmul, row);
    if (kRows > 6 && row + 6 <= matmul.rows) {
      block<6, kVectors>(matmul, row);
      row += 6;
    }
    if (row + 3 <= matmul.rows) {
      block<3, kVectors>(matmul, row);
      row += 3;
    }
    for (; row < matmul.rows; ++row) block<1, kVectors>(matmul, row);
  }

  static void matmul(const Matmul<float>& matmul) {
    if (matmul.vectors == 1) return rows<12, 1>(matmul);
    if (matmul.vectors == 2) return rows<kManyRegisters ? 12 : 6, 2>(matmul);
    if constexpr (kPanelVectors > 2) {
      if (matmul.vectors == 3) return rows<6, 3>(matmul);
      return rows<6, 4>(matmul);
    }
  }

  template <typename T>
  static void epilogue(const Epilogue<T>& epilogue) {
    for (int64_t row = 0; row < epilogue.rows; ++row) {
      const float* sums = epilogue.sums + row * epilogue.sums_stride;
      const float scale = epilogue.scales != nullptr ? epilogue.scales[row] : 1.0f;
      each_vector(epilogue.count, [&](int64_t c, auto load_it, auto store_it) {
        Float value = load_it(sums + c) * scale;
        if (epilogue.bias != nullptr) value += load_it(epilogue.bias + c);
        if (epilogue.residual != nullptr) {
          value += load_it(epilogue.residual + row * epilogue.y_stride + c);
        }
        store_it(value, epilogue.y + row * epilogue.y_stride + c);
      });
    }
  }

  static constexpr MatmulKernels<float> kernels{1,       kPanelVectors,   &pack, &pack_transposed,
                                                &matmul, &epilogue<float>};
};

}  // namespace
}  // namespace karlo::simd
