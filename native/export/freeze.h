#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

namespace karlo::exporting {

// A module with these methods, whose attributes are constants of its graphs. They share the memory.
// What is more than reading attributes (a method that writes one, say) is left to LibTorch's own
// freezing, which is slower: it looks for what could change them, and optimises.
torch::jit::Module freeze(const torch::jit::Module& module,
                          const std::vector<std::string>& methods);

}  // namespace karlo::exporting
