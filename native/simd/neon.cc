#define KARLO_VECTOR_REGISTERS 32
#include "simd/kernel_table.h"

namespace karlo::simd {

// Every 64-bit Arm processor has NEON. What base.cc compiles for Arm uses it too, but only 16 of
// its registers.
const Kernels& neon_kernels() { return KernelTable<4, 16, 12, 8>::kernels; }

}  // namespace karlo::simd
