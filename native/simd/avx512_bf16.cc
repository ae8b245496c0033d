#include "simd/kernels.h"

#ifdef KARLO_X86_KERNELS
#ifdef __AVX512BF16__
#include "simd/bf16_dot_loops.h"
#include "simd/kernel_table.h"
#endif

namespace karlo::simd {

#ifdef __AVX512BF16__
const Kernels* avx512_bf16_kernels() {
  static constexpr Kernels kernels = [] {
    Kernels kernels = KernelTable<16, 16, 12, 8>::kernels;
    kernels.bfloat16.skinny_matmul = &Bf16DotLoops::skinny_matmul;
    kernels.bf16_dot = {{2, 4, &Bf16DotLoops::pack, &Bf16DotLoops::pack_transposed,
                         &Bf16DotLoops::matmul, &MatmulLoops<16>::epilogue<c10::BFloat16>},
                        &Bf16DotLoops::softmax,
                        {&WinogradLoops<16>::transform_input<c10::BFloat16>,
                         &Bf16DotLoops::transform_winograd_weights}};
    return kernels;
  }();
  return &kernels;
}
#else
const Kernels* avx512_bf16_kernels() { return nullptr; }
#endif

}  // namespace karlo::simd
#endif
