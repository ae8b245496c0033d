#pragma once

#include "simd/conv_loops.h"
#include "simd/matmul_loops.h"
#include "simd/row_loops.h"
#include "simd/skinny_matmul_loops.h"
#include "simd/softmax_loops.h"
#include "simd/transformer_loops.h"
#include "simd/winograd_loops.h"

namespace karlo::simd {
namespace {

// All kernels for vectors of `kLanes` floats. For `kPixels1` to `kPixels3`, see ConvLoops.
template <int kLanes, int kPixels1, int kPixels2, int kPixels3>
struct KernelTable {
  using Rows = RowLoops<kLanes>;
  using Winograd = WinogradLoops<kLanes>;
  using Conv = ConvLoops<kLanes, kPixels1, kPixels2, kPixels3>;
  using Matmul = SkinnyMatmulLoops<kLanes>;

  template <typename T>
  static constexpr RowKernels<T> rows() {
    return {&Rows::template moments<T>,
            &Rows::template affine<T, T, false>,
            &Rows::template affine<T, T, true>,
            &Rows::template affine<T, float, true>,
            &Matmul::skinny_matmul,
            &Winograd::template transform_output<T>};
  }
  static constexpr Kernels kernels{
      kLanes,
      &Conv::conv_row,
      rows<float>(),
      rows<c10::BFloat16>(),
      &SoftmaxLoops<kLanes>::softmax,
      &TransformerLoops<kLanes>::layer_norm,
      &TransformerLoops<kLanes>::gelu,
      &TransformerLoops<kLanes>::quick_gelu,
      {&Winograd::template transform_input<float>, &Winograd::template transform_weights<float>},
      MatmulLoops<kLanes>::kernels,
      {}};
};

}  // namespace
}  // namespace karlo::simd
