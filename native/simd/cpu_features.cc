#include "simd/cpu_features.h"

#include <ATen/cpu/Utils.h>

#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

// As LibTorch names it: not every compiler knows all of these.
bool has(const char* capability) {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  const auto found = capabilities.find(capability);
  return found != capabilities.end() && found->second.isBool() && found->second.toBool();
}

}  // namespace

bool has_matrices() {
  static const bool has_it = has("amx_bf16");
  return has_it;
}

bool has_bfloat16() {
  static const bool has_it = has("avx512_bf16");
  return has_it;
}

bool has_pairs() { return kernels().pairs.product != nullptr; }

bool multiplies_by_pairs(at::ScalarType dtype) {
#ifdef KARLO_X86_KERNELS
  static const bool does = has_pairs() && !has_matrices() && !__builtin_cpu_is("intel");
  return does && dtype == at::kBFloat16;
#else
  return false;
#endif
}

bool has_fast_products() {
#ifdef KARLO_X86_KERNELS
  return __builtin_cpu_is("intel");
#else
  return true;
#endif
}

}  // namespace karlo::nets::cpu
