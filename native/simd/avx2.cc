#include "simd/kernel_table.h"

#ifdef KARLO_X86_KERNELS
namespace karlo::nets::cpu {

// 16 registers.
const Kernels& avx2_kernels() { return KernelsOf<8, 8, 4, 4>::all; }

}  // namespace karlo::nets::cpu
#endif
