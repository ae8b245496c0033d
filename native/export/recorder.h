#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "export/method.h"

namespace karlo::exporting {

// Records the methods of one network: the wanted ones, or all if none is named.
class Recorder {
 public:
  Recorder(torch::jit::Module& module, const std::vector<std::string>& wanted)
      : module_(module), wanted_(wanted) {}

  void operator()(const std::string& name, const std::vector<Argument>& arguments,
                  const std::function<Tensors(const Tensors&)>& body) const;

 private:
  torch::jit::Module& module_;
  const std::vector<std::string>& wanted_;
};

// Example inputs on the meta device. Only their ranks and widths matter; the batch is 2. Inputs are
// float32 while weights are bfloat16, so that every cast between them is recorded: see
// nets::meta_tensor().
at::Tensor example(at::IntArrayRef shape, at::ScalarType dtype = at::kFloat);
at::Tensor example_mask(int64_t tokens);
// The timesteps `t`, int64 [2].
Argument example_t();
// A tensor that another method of the network returns, in the network's dtype.
at::Tensor example_cache(at::IntArrayRef shape);

}  // namespace karlo::exporting
