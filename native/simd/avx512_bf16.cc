#include "simd/kernels.h"

#ifdef KARLO_X86_KERNELS
#ifdef __AVX512BF16__
#include "simd/bf16_dot_loops.h"
#include "simd/kernel_table.h"
#endif

namespace karlo::nets::cpu {

#ifdef __AVX512BF16__
const Kernels* avx512_bfloat16_kernels() {
  static constexpr Kernels all = [] {
    Kernels kernels = KernelsOf<16, 16, 12, 8>::all;
    kernels.bfloat16.dot = &PairLoops::dot;
    kernels.pairs = {
        &PairLoops::pack,
        &PairLoops::pack_columns,
        &PairLoops::product,
        &PairLoops::finish,
        &PairLoops::softmax,
        {&WinogradLoops<16>::winograd_input<c10::BFloat16>, &PairLoops::winograd_weights}};
    return kernels;
  }();
  return &all;
}
#else
const Kernels* avx512_bfloat16_kernels() { return nullptr; }
#endif

}  // namespace karlo::nets::cpu
#endif
