#include "simd/kernels.h"

#include "simd/cpu_features.h"

namespace karlo::nets::cpu {

const Kernels& kernels() {
#ifdef KARLO_X86_KERNELS
  static const Kernels& found = []() -> const Kernels& {
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    const Kernels* pairs = v4 && has_bfloat16() ? avx512_bfloat16_kernels() : nullptr;
    if (pairs != nullptr) return *pairs;
    return v4 ? avx512_kernels() : v3 ? avx2_kernels() : base_kernels();
  }();
  return found;
#else
  return base_kernels();
#endif
}

}  // namespace karlo::nets::cpu
