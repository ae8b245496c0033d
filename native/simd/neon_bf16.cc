#define KARLO_VECTOR_REGISTERS 32
#include "simd/kernels.h"

#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
#include "simd/kernel_table.h"
#include "simd/neon_bf16_loops.h"
#endif

namespace karlo::simd {

#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
const Kernels* neon_bf16_kernels() {
  static constexpr Kernels kernels = [] {
    Kernels kernels = KernelTable<4, 16, 12, 8>::kernels;
    kernels.bfloat16.skinny_matmul = &NeonBf16Loops::skinny_matmul;
    kernels.bf16_dot = {
        {NeonBf16Loops::kGroup, 4, &NeonBf16Loops::pack, &NeonBf16Loops::pack_transposed,
         &NeonBf16Loops::matmul, &MatmulLoops<4>::epilogue<c10::BFloat16>},
        &NeonBf16Loops::softmax,
        {&WinogradLoops<4>::transform_input<c10::BFloat16>,
         &WinogradLoops<4>::transform_weights<c10::BFloat16>}};
    return kernels;
  }();
  return &kernels;
}
#else
const Kernels* neon_bf16_kernels() { return nullptr; }
#endif

}  // namespace karlo::simd
