#pragma once

#include <torch/library.h>

#include <optional>

namespace karlo::nets {

// What an operator does: of LibTorch's own, anywhere; on the CPU; and, for a trace, to shapes.
struct Operator {
  torch::CppFunction composed, on_cpu;
  std::optional<torch::CppFunction> on_meta;  // without it, `composed` does
};

// Tells LibTorch of the operator karlo::`name`. Once a process, before a graph that has it is
// traced or loaded.
void define_operator(const char* name, const char* schema, Operator defined);

}  // namespace karlo::nets
