#include "simd/kernels.h"

#ifdef __AVX512BF16__
#include "simd/avx512_bf16_loops.h"
#include "simd/kernel_table.h"
#endif

namespace karlo::simd {

#ifdef __AVX512BF16__
const Kernels* avx512_bf16_kernels() {
  static constexpr Kernels kernels = [] {
    Kernels kernels = KernelTable<16, 16, 12, 8>::kernels;
    kernels.bfloat16.skinny_matmul = &Avx512Bf16Loops::skinny_matmul;
    kernels.bf16_dot = {{2, 4, &Avx512Bf16Loops::pack, &Avx512Bf16Loops::pack_transposed,
                         &Avx512Bf16Loops::matmul, &MatmulLoops<16>::epilogue<c10::BFloat16>},
                        &Avx512Bf16Loops::softmax,
                        {&WinogradLoops<16>::transform_input<c10::BFloat16>,
                         &Avx512Bf16Loops::transform_winograd_weights}};
    return kernels;
  }();
  return &kernels;
}
#else
const Kernels* avx512_bf16_kernels() { return nullptr; }
#endif

}  // namespace karlo::simd
