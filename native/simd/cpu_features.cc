#include "simd/cpu_features.h"

#include <ATen/cpu/Utils.h>

#include "simd/kernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

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

bool has_arm_bf16() {
#if defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long kBf16 = 1UL << 14;  // HWCAP2_BF16, which old headers do not define
  return (getauxval(AT_HWCAP2) & kBf16) != 0;
#elif defined(__aarch64__) && defined(__APPLE__)
  int has_it = 0;
  size_t size = sizeof has_it;
  const int status = sysctlbyname("hw.optional.arm.FEAT_BF16", &has_it, &size, nullptr, 0);
  return status == 0 && has_it != 0;
#else
  return false;
#endif
}

bool has_bf16_dot() { return kernels().bf16_dot.matmul.matmul != nullptr; }

bool prefers_bf16_dot(at::ScalarType dtype) {
#ifdef KARLO_X86_KERNELS
  static const bool does = has_bf16_dot() && !has_amx() && !__builtin_cpu_is("intel");
#else
  static const bool does = has_bf16_dot();
#endif
  return does && dtype == at::kBFloat16;
}

bool has_fast_matmul() {
#ifdef KARLO_X86_KERNELS
  return __builtin_cpu_is("intel");
#else
  return true;
#endif
}

}  // namespace karlo::simd
