#include "simd/kernel_table.h"

namespace karlo::simd {

// SSE2 and NEON have vectors of four.
#ifdef __GNUC__
const Kernels& base_kernels() { return KernelTable<4, 8, 4, 4>::kernels; }
#else
const Kernels& base_kernels() { return KernelTable<1, 4, 4, 2>::kernels; }
#endif

}  // namespace karlo::simd
