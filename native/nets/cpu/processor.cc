#include "nets/cpu/processor.h"

#include <ATen/cpu/Utils.h>

#include "nets/cpu/kernels.h"

namespace karlo::nets::cpu {

bool has_matrices() {
  static const bool has = [] {
    const auto capabilities = at::cpu::get_cpu_capabilities();
    const auto found = capabilities.find("amx_bf16");
    return found != capabilities.end() && found->second.isBool() && found->second.toBool();
  }();
  return has;
}

bool multiplies_bfloat16() {
#ifdef KARLO_X86_KERNELS
  return __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel");
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
