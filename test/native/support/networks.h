#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <functional>
#include <string>
#include <vector>

#include "export/method.h"
#include "nets/config.h"
#include "nets/registry.h"

namespace karlo::testing {

using exporting::Tensors;
using Sizes = std::vector<int64_t>;
using Strings = std::vector<std::string>;

// A network with a small config. The parity tests compare the networks with the reference; the C++
// tests check that each network is the same however it is run.
struct NetworkCase {
  std::string kind;
  nets::Config config;
  // The inputs of forward() for a batch.
  std::function<Tensors(int64_t batch)> inputs;
  // The result of forward(), computed by other methods. Empty if there are none.
  std::function<Tensors(const torch::jit::Module&, const Tensors&)> by_other_methods;
};

// A traced network with random weights in several forms.
struct TracedCase {
  NetworkCase network;
  nets::TracedNetwork traced;
  torch::jit::Module fresh;     // as traced
  torch::jit::Module loaded;    // saved and loaded again
  torch::jit::Module bfloat16;  // saved, loaded again, and given weights in bfloat16
  torch::jit::Module frozen;

  explicit TracedCase(NetworkCase network);
};

Tensors call(const torch::jit::Module& module, const std::string& method, const Tensors& inputs);
Tensors no_other_methods(const torch::jit::Module&, const Tensors&);

// A mask with rows of different lengths. The first token always counts.
at::Tensor random_mask(int64_t batch, int64_t tokens);
at::Tensor random_timesteps(int64_t count);

void check_no_constants(const TracedCase& network);
void check_other_methods(const TracedCase& network);
void check_loaded(const TracedCase& network);
void check_frozen(const TracedCase& network);
void check_bfloat16(const TracedCase& network);
void check_network_accuracy(const TracedCase& network);

// The message of the std::invalid_argument that `action` throws; empty if it throws none.
std::string rejection(const std::function<void()>& action);
// The same for a config in which one key is changed.
std::string config_rejection(const NetworkCase& network, const std::string& key,
                             const nets::ConfigValue& value);

}  // namespace karlo::testing
