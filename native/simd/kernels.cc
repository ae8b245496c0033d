#include "simd/kernels.h"

#include <cstdlib>
#include <cstring>

#include "simd/cpu_features.h"

namespace karlo::simd {

namespace {

constexpr const char* kNames[] = {"base", "avx2", "avx512", "avx512_bf16"};

Capability highest() {
#ifdef KARLO_X86_KERNELS
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  if (v4 && has_avx512_bf16() && avx512_bf16_kernels() != nullptr) return Capability::kAvx512Bf16;
  if (v4) return Capability::kAvx512;
  if (v3) return Capability::kAvx2;
#endif
  return Capability::kBase;
}

// Unknown names are ignored here: lib/torch/load.ts rejects them.
Capability chosen() {
  const Capability found = highest();
  const char* requested = std::getenv("KARLO_CPU_CAPABILITY");
  for (int i = 0; requested != nullptr && i < static_cast<int>(found); ++i) {
    if (std::strcmp(requested, kNames[i]) == 0) return static_cast<Capability>(i);
  }
  return found;
}

const Kernels& kernels_for(Capability capability) {
#ifdef KARLO_X86_KERNELS
  if (capability == Capability::kAvx512Bf16) return *avx512_bf16_kernels();
  if (capability == Capability::kAvx512) return avx512_kernels();
  if (capability == Capability::kAvx2) return avx2_kernels();
#endif
  return base_kernels();
}

}  // namespace

Capability capability() {
  static const Capability found = chosen();
  return found;
}

const char* name_of(Capability capability) { return kNames[static_cast<int>(capability)]; }

const Kernels& kernels() {
  static const Kernels& found = kernels_for(capability());
  return found;
}

int64_t padded(int64_t count, const Kernels& kernels) {
  return (count + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
}

}  // namespace karlo::simd
