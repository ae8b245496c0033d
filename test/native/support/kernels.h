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
  std::vector<NamedKernels> all;
  for (const auto& [name, kernels] : simd::instruction_sets()) all.push_back({name, *kernels});
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
