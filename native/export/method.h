#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace karlo::exporting {

struct Argument {
  std::string name;
  at::Tensor example;  // only its rank and dtype matter, not its sizes
};

using Tensors = std::vector<at::Tensor>;

// Records `body` as a method of `module`. It returns a tensor if it has one result, and a tuple if
// it has several. The graph does not depend on the examples' sizes, device or floating-point dtype
// as long as `body` does not read them.
void add_method(torch::jit::Module& module, const std::string& name,
                const std::vector<Argument>& arguments,
                const std::function<Tensors(const Tensors&)>& body);

// The bytes of the largest tensor constant in the graphs of all methods.
int64_t largest_constant(const torch::jit::Module& module);

// The limit for tensor constants: weights come from a file, not from a graph.
constexpr int64_t kMaxConstantBytes = 1024;

// Assigns the parameter at a dotted path ("mid_block.resnets.0.conv1.weight"). The tensor may have
// any shape, dtype and device. Throws std::invalid_argument for an unknown path.
void set_parameter(torch::jit::Module& module, const std::string& path, at::Tensor value);

// Replaces each parameter by an empty tensor, so that a saved module consists of its graphs only.
void clear_parameters(torch::jit::Module& module);

}  // namespace karlo::exporting
