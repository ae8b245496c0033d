#include "simd/kernel_table.h"

#ifdef KARLO_X86_KERNELS
namespace karlo::simd {

// 16 registers.
const Kernels& avx2_kernels() { return KernelTable<8, 8, 6, 4>::kernels; }

}  // namespace karlo::simd
#endif
