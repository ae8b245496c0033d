#pragma once

#include <cstddef>
#include <string>

namespace karlo::importing {

// LibTorch parses and compiles a graph's source by recursion, with up to 3.3 KB of stack for each
// level (measured on x64), and threads have as little as 512 KB, on macOS. Sources that LibTorch
// writes have fewer than 30 levels; Python itself allows 100 levels of blocks.
constexpr size_t kMaxNesting = 100;

// Throws std::runtime_error for a source that nests blocks, brackets and operators more deeply than
// kMaxNesting, or that has no valid tokens. It counts at least the levels of LibTorch's syntax
// tree.
void check_nesting(const std::string& source);

}  // namespace karlo::importing
