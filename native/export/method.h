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
  at::Tensor example;  // its rank and dtype count, its sizes do not
};

using Tensors = std::vector<at::Tensor>;

// Records `body` as a method of `module`. One result becomes a tensor, several become a tuple.
// Nothing in the graph depends on the examples' sizes, device or floating-point dtype as long as
// `body` asks for none.
void add_method(torch::jit::Module& module, const std::string& name,
                const std::vector<Argument>& arguments,
                const std::function<Tensors(const Tensors&)>& body);

// The bytes of the largest tensor that stands in a graph as a constant, over all methods.
int64_t largest_constant(const torch::jit::Module& module);

// No tensor constant may be larger: weights come from a file, not from a graph.
constexpr int64_t kLargestConstant = 1024;

// Assigns the parameter at a dotted path ("mid_block.resnets.0.conv1.weight"). The attribute's type
// says only "tensor", so that any shape, dtype and device will do. Throws std::invalid_argument for
// an unknown path.
void set_parameter(torch::jit::Module& module, const std::string& path, at::Tensor value);

// Leaves an empty tensor in the place of each parameter, so that a saved module is its graphs and
// no more.
void clear_parameters(torch::jit::Module& module);

}  // namespace karlo::exporting
