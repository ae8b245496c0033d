#pragma once

#include <algorithm>

#include "simd/skinny_matmul_loops.h"
#include "simd/softmax_loops.h"

namespace karlo::simd {
namespace {

// What the bf16_dot kernels of all instruction sets have in common. `Isa` has the vectors, and
// matmul_block().
template <typename Isa>
struct Bf16Loops {
  // At most `kRows` rows at a time: as many as fit in the registers.
  template <int kRows, int kVectors>
  static void matmul_rows(const Matmul<c10::BFloat16>& matmul) {
    int64_t row = 0;
    for (; row + kRows <= matmul.rows; row += kRows) {
      Isa::template matmul_block<kRows, kVectors>(matmul, row);
    }
    if (kRows > 8 && row + 8 <= matmul.rows) {
      Isa::template matmul_block<8, kVectors>(matmul, row);
      row += 8;
    }
    if (row + 4 <= matmul.rows) {
      Isa::template matmul_block<4, kVectors>(matmul, row);
      row += 4;
    }
    if (row + 2 <= matmul.rows) {
      Isa::template matmul_block<2, kVectors>(matmul, row);
      row += 2;
    }
    if (row < matmul.rows) Isa::template matmul_block<1, kVectors>(matmul, row);
  }

  static void matmul(const Matmul<c10::BFloat16>& matmul) {
    switch (matmul.vectors) {
      case 4:
        return matmul_rows<6, 4>(matmul);
      case 3:
        return matmul_rows<8, 3>(matmul);
      case 2:
        return matmul_rows<12, 2>(matmul);
      default:
        return matmul_rows<12, 1>(matmul);
    }
  }

  static void softmax(const Bf16Softmax& softmax) {
    const auto& [logits, rows, width, scale, bias, y, reciprocal_sums] = softmax;
    for (int64_t row = 0; row < rows; ++row) {
      float* x = logits + row * width;
      const auto load_logits = [x, scale = scale, bias = bias](int64_t c) {
        const auto value = Isa::load(x + c) * scale + Isa::load(bias + c);
        Isa::store(value, x + c);
        return value;
      };
      reciprocal_sums[row] = softmax_row<Isa>(x, width, y + row * width, load_logits);
    }
  }

  // `kOut` results for each of `kRows` rows, starting at `row` and `first`. The sums are held in
  // registers.
  template <int kRows, int kOut>
  static KARLO_INLINE void skinny_matmul_block(const SkinnyMatmul<c10::BFloat16>& matmul,
                                               int64_t row, int64_t first) {
    constexpr int64_t kPairs = Isa::kPairs;
    const c10::BFloat16* x = matmul.x + row * matmul.in;
    const c10::BFloat16* weights = matmul.weights + first * matmul.in;
    typename Isa::Sums sums[kRows][kOut];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) sums[r][o] = typename Isa::Sums{};
    }
    const auto add = [&](auto load_it) {
      typename Isa::Pairs w[kOut];
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) w[o] = load_it(weights + o * matmul.in);
      KARLO_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const auto value = load_it(x + r * matmul.in);
        KARLO_UNROLL
        for (int o = 0; o < kOut; ++o) sums[r][o] = Isa::add_dot(sums[r][o], value, w[o]);
      }
    };
    const int64_t whole = matmul.in / kPairs * kPairs, rest = matmul.in - whole;
    for (int64_t i = 0; i < whole; i += kPairs) {
      // Each row of weights may begin on a new page, where the processor's own prefetching stops.
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) {
        Isa::prefetch(weights + (kOut + o) * matmul.in + i);
      }
      add([i](const c10::BFloat16* from) { return Isa::load_pairs(from + i); });
    }
    if (rest > 0) {
      add([=](const c10::BFloat16* from) { return Isa::load_pairs(from + whole, rest); });
    }
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kOut; ++o) {
        float sum = Isa::sum_of(bits_as<typename Isa::Float>(sums[r][o]));
        if (matmul.bias != nullptr) sum += static_cast<float>(matmul.bias[first + o]);
        matmul.y[(row + r) * matmul.y_stride + first + o] = sum;
      }
    }
  }

  static void skinny_matmul(const SkinnyMatmul<c10::BFloat16>& matmul) {
    each_block<4>(matmul, [&](auto rows, auto results, int64_t row, int64_t first) {
      skinny_matmul_block<rows, results>(matmul, row, first);
    });
  }
};

}  // namespace
}  // namespace karlo::simd
