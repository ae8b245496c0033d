#pragma once

#include "simd/conv_loops.h"
#include "simd/row_loops.h"
#include "simd/skinny_matmul_loops.h"
#include "simd/winograd_loops.h"

namespace karlo::nets::cpu {
namespace {

// All kernels, for vectors of `kLanes` floats; `kPixels1` to `kPixels3` as in ConvLoops.
template <int kLanes, int kPixels1, int kPixels2, int kPixels3>
struct KernelsOf {
  using Rows = RowLoops<kLanes>;
  using Winograd = WinogradLoops<kLanes>;
  using Conv = ConvLoops<kLanes, kPixels1, kPixels2, kPixels3>;
  using Dot = DotLoops<kLanes>;

  template <typename T>
  static constexpr RowKernels<T> rows() {
    return {&Rows::template add_moments<T>,
            &Rows::template transform<T, T, false>,
            &Rows::template transform<T, T, true>,
            &Rows::template transform<T, float, true>,
            &Dot::dot,
            &Winograd::template winograd_output<T>};
  }
  static constexpr Kernels all{
      kLanes,
      &Conv::conv_row,
      rows<float>(),
      rows<c10::BFloat16>(),
      &Rows::softmax,
      {&Winograd::template winograd_input<float>, &Winograd::winograd_weights},
      {}};
};

}  // namespace
}  // namespace karlo::nets::cpu
