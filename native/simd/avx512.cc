#include "simd/kernel_table.h"

#ifdef KARLO_X86_KERNELS
namespace karlo::simd {

// 32 registers.
const Kernels& avx512_kernels() { return KernelTable<16, 16, 12, 8>::kernels; }

}  // namespace karlo::simd
#endif
