#include "simd/kernel_table.h"

namespace karlo::nets::cpu {

// SSE2 and NEON have vectors of four.
#ifdef __GNUC__
const Kernels& base_kernels() { return KernelsOf<4, 8, 4, 4>::all; }
#else
const Kernels& base_kernels() { return KernelsOf<1, 4, 4, 2>::all; }
#endif

}  // namespace karlo::nets::cpu
