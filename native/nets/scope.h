#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace karlo::nets {

// One parameter of a network, under the key that published checkpoints give it.
struct TensorSpec {
  std::string name;  // a state-dict key of diffusers or transformers; dots separate modules
  std::vector<int64_t> shape;
  bool keep_float32 = false;  // stays float32 whatever the dtype of the network
};

// Where a network's tensors come from while it is built.
using TensorSource = std::function<at::Tensor(const TensorSpec&)>;

// Shape and dtype without memory: all that tracing needs, at any size. The dtype is bfloat16, other
// than that of the examples that a trace runs on: a cast that changes nothing returns the tensor
// itself, and the tracer would then take the cast for the original from there on.
at::Tensor meta_tensor(const TensorSpec& spec);

// A place in a network's tree of parameters. Layers declare their tensors here by name, which at
// once registers them as attributes of the TorchScript module (so that a trace refers to them by
// path) and lists them for whoever reads the weights.
class Scope {
 public:
  explicit Scope(torch::jit::Module root, TensorSource source = meta_tensor);

  Scope operator[](const std::string& name) const;
  Scope operator[](int64_t index) const;

  at::Tensor tensor(const std::string& name, std::vector<int64_t> shape,
                    bool keep_float32 = false) const;

  const std::vector<TensorSpec>& declared() const { return shared_->declared; }

 private:
  struct Shared {
    TensorSource source;
    std::vector<TensorSpec> declared;
  };

  Scope(torch::jit::Module module, std::string path, std::shared_ptr<Shared> shared);

  torch::jit::Module module_;
  std::string path_;  // empty at the root
  std::shared_ptr<Shared> shared_;
};

}  // namespace karlo::nets
