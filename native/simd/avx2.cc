#include "simd/kernel_table.h"

namespace karlo::simd {

const Kernels& avx2_kernels() { return KernelTable<8, 8, 6, 4>::kernels; }

}  // namespace karlo::simd
