#pragma once

#include <string>
#include <vector>

#include "simd/kernels.h"

namespace karlo::testing {

struct NamedKernels {
  std::string name;
  const simd::Kernels& kernels;
};

// The kernels for every instruction set of this processor.
inline std::vector<NamedKernels> available_kernels() {
  std::vector<NamedKernels> all{{"base", simd::base_kernels()}};
#ifdef KARLO_X86_KERNELS
  const simd::Kernels& best = simd::kernels();
  if (best.lanes >= 8) all.push_back({"AVX2", simd::avx2_kernels()});
  if (best.lanes >= 16) all.push_back({"AVX-512", simd::avx512_kernels()});
  if (best.bf16_dot.matmul.matmul != nullptr) all.push_back({"AVX-512 with bfloat16", best});
#endif
  return all;
}

// Those that have bf16_dot kernels.
inline std::vector<NamedKernels> available_bf16_dot_kernels() {
  std::vector<NamedKernels> all;
  for (const NamedKernels& item : available_kernels()) {
    if (item.kernels.bf16_dot.matmul.matmul != nullptr) all.push_back(item);
  }
  return all;
}

}  // namespace karlo::testing
