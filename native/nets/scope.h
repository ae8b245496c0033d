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

// A parameter of a network, under its key in published checkpoints.
struct TensorSpec {
  std::string name;  // the state-dict key of diffusers or transformers; dots separate modules
  std::vector<int64_t> shape;
  bool keep_float32 = false;  // stays float32 in every dtype of the network
};

// Provides a network's tensors while it is built.
using TensorSource = std::function<at::Tensor(const TensorSpec&)>;

// A tensor with a shape and dtype but without memory, which is all that tracing needs. The dtype is
// bfloat16 because it must differ from that of the example inputs: a cast to the same dtype returns
// the tensor itself, and the tracer would confuse the two from then on.
at::Tensor meta_tensor(const TensorSpec& spec);

// A node of a network's tree of parameters. Layers declare their tensors here by name. This
// registers them as attributes of the TorchScript module, so that a trace refers to them by path,
// and lists them in declared().
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
