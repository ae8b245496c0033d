#include "simd/kernel_table.h"

namespace karlo::simd {

const Kernels& avx512_kernels() { return KernelTable<16, 16, 12, 8>::kernels; }

}  // namespace karlo::simd
