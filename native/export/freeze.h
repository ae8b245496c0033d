#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

namespace karlo::exporting {

// Returns a module with these methods, in which attributes are constants of the graphs. The memory
// is shared. If a method does more than read attributes (if it writes one, say), LibTorch freezes
// the module instead, which is slower: it searches for writes, and optimizes.
torch::jit::Module freeze(const torch::jit::Module& module,
                          const std::vector<std::string>& methods);

}  // namespace karlo::exporting
