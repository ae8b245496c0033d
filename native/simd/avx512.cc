#include "simd/kernel_table.h"

#ifdef KARLO_X86_KERNELS
namespace karlo::nets::cpu {

// 32 registers.
const Kernels& avx512_kernels() { return KernelsOf<16, 16, 12, 8>::all; }

}  // namespace karlo::nets::cpu
#endif
