#include "simd/cpu_features.h"

#include <ATen/cpu/Utils.h>

#include "simd/kernels.h"

namespace karlo::simd {
namespace {

// By LibTorch's name: __builtin_cpu_supports() does not know all of these with every compiler.
bool has(const char* capability) {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  const auto found = capabilities.find(capability);
  return found != capabilities.end() && found->second.isBool() && found->second.toBool();
}

}  // namespace

bool has_amx() {
  static const bool has_it = has("amx_bf16");
  return has_it;
}

bool has_avx512_bf16() {
  static const bool has_it = has("avx512_bf16");
  return has_it;
}

bool has_bf16_dot() { return kernels().bf16_dot.matmul.matmul != nullptr; }

bool prefers_bf16_dot(at::ScalarType dtype) {
#ifdef KARLO_X86_KERNELS
  static const bool does = has_bf16_dot() && !has_amx() && !__builtin_cpu_is("intel");
  return does && dtype == at::kBFloat16;
#else
  return false;
#endif
}

bool has_fast_matmul() {
#ifdef KARLO_X86_KERNELS
  return __builtin_cpu_is("intel");
#else
  return true;
#endif
}

}  // namespace karlo::simd
