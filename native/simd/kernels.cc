#include "simd/kernels.h"

#include <cstdlib>
#include <cstring>

#include "simd/cpu_features.h"

namespace karlo::simd {

namespace {

std::vector<InstructionSet> find() {
  std::vector<InstructionSet> found{{"base", &base_kernels()}};
#if defined(KARLO_X86_KERNELS)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return found;
  found.push_back({"avx2", &avx2_kernels()});
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq")) {
    return found;
  }
  found.push_back({"avx512", &avx512_kernels()});
  const Kernels* bf16 = has_avx512_bf16() ? avx512_bf16_kernels() : nullptr;
  if (bf16 != nullptr) found.push_back({"avx512_bf16", bf16});
#elif defined(KARLO_ARM_KERNELS)
  found.push_back({"neon", &neon_kernels()});
  const Kernels* bf16 = has_arm_bf16() ? neon_bf16_kernels() : nullptr;
  if (bf16 != nullptr) found.push_back({"neon_bf16", bf16});
#endif
  return found;
}

// Names that are not among them are ignored here: lib/torch/load.ts rejects unknown ones.
const InstructionSet& chosen() {
  const char* requested = std::getenv("KARLO_CPU_CAPABILITY");
  for (const InstructionSet& each : instruction_sets()) {
    if (requested != nullptr && std::strcmp(requested, each.name) == 0) return each;
  }
  return instruction_sets().back();
}

}  // namespace

const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> found = find();
  return found;
}

const InstructionSet& instruction_set() {
  static const InstructionSet& found = chosen();
  return found;
}

const Kernels& kernels() {
  static const Kernels& found = *instruction_set().kernels;
  return found;
}

int64_t padded(int64_t count, const Kernels& kernels) {
  return (count + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
}

}  // namespace karlo::simd
