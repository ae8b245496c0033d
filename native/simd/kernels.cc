#include "simd/kernels.h"

#include "simd/cpu_features.h"

namespace karlo::simd {

const Kernels& kernels() {
#ifdef KARLO_X86_KERNELS
  static const Kernels& found = []() -> const Kernels& {
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    const Kernels* bf16 = v4 && has_avx512_bf16() ? avx512_bf16_kernels() : nullptr;
    if (bf16 != nullptr) return *bf16;
    return v4 ? avx512_kernels() : v3 ? avx2_kernels() : base_kernels();
  }();
  return found;
#else
  return base_kernels();
#endif
}

int64_t padded(int64_t count, const Kernels& kernels) {
  return (count + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
}

}  // namespace karlo::simd
