#include "support/networks.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/jit/serialization/import.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "export/freeze.h"
#include "support/accuracy.h"

namespace karlo::testing {
namespace {

using torch::jit::Module;

// Similar to trained weights: norms are near one, everything else is so small that activations stay
// in range.
// @param rounded, computed the dtype whose numbers the weights are, and the one that holds them
void fill(Module& module, const std::vector<nets::TensorSpec>& parameters, at::ScalarType rounded,
          at::ScalarType computed) {
  at::manual_seed(0);
  for (const nets::TensorSpec& spec : parameters) {
    const bool norm = spec.shape.size() == 1 && spec.name.find("norm") != std::string::npos;
    int64_t inputs = 1;
    for (size_t i = 1; i < spec.shape.size(); ++i) inputs *= spec.shape[i];
    at::Tensor value = at::randn(spec.shape) / std::sqrt(static_cast<double>(inputs));
    if (norm) value = value * 0.05 + (spec.name.find("bias") == std::string::npos ? 1 : 0);
    const bool wide = computed == at::kDouble || !spec.keep_float32;
    const at::Tensor held = spec.keep_float32 ? value : value.to(rounded);
    exporting::set_parameter(module, spec.name, wide ? held.to(computed) : held);
  }
}

void fill(Module& module, const std::vector<nets::TensorSpec>& parameters, at::ScalarType dtype) {
  fill(module, parameters, dtype, dtype);
}

Module save_and_load(const Module& module) {
  std::stringstream stream;
  module.save(stream);
  return torch::jit::load(stream);
}

Module freeze_all(const Module& module) {
  Strings methods;
  for (const torch::jit::Method& method : module.get_methods()) methods.push_back(method.name());
  return exporting::freeze(module, methods);
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

double similarity(const at::Tensor& a, const at::Tensor& b) {
  return at::cosine_similarity(a.flatten().to(at::kDouble), b.flatten().to(at::kDouble), 0)
      .item<double>();
}

bool equal(const Tensors& a, const Tensors& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].equal(b[i])) return false;
  }
  return a.size() == b.size();
}

// Calls f(inputs, result of forward) for several batch sizes.
template <typename F>
void for_all_batches(const TracedCase& network, const F& f) {
  for (const int64_t batch : {2, 1, 5}) {
    CAPTURE(batch);
    const Tensors inputs = network.network.inputs(batch);
    f(inputs, call(network.fresh, "forward", inputs));
  }
}

}  // namespace

TracedCase::TracedCase(NetworkCase network)
    : network(std::move(network)),
      traced(nets::trace_network(this->network.kind, this->network.config)),
      fresh(traced.module),
      loaded(save_and_load(traced.module)),
      bfloat16(save_and_load(traced.module)) {
  fill(fresh, traced.parameters, at::kFloat);
  fill(loaded, traced.parameters, at::kFloat);
  fill(bfloat16, traced.parameters, at::kBFloat16);
  frozen = freeze_all(loaded);
}

Tensors call(const Module& module, const std::string& method, const Tensors& inputs) {
  const c10::IValue result = module.get_method(method)({inputs.begin(), inputs.end()});
  if (result.isTensor()) return {result.toTensor()};
  Tensors tensors;
  for (const c10::IValue& item : result.toTuple()->elements()) tensors.push_back(item.toTensor());
  return tensors;
}

Tensors no_other_methods(const Module&, const Tensors&) { return {}; }

at::Tensor random_mask(int64_t batch, int64_t tokens) {
  const at::Tensor lengths = at::randint(1, tokens + 1, {batch, 1});
  return at::ones({batch, tokens}).cumsum(1).le(lengths);
}

at::Tensor random_timesteps(int64_t count) { return at::randint(0, 1000, {count}); }

void check_no_constants(const TracedCase& network) {
  CHECK(exporting::largest_constant(network.traced.module) == 0);
}

void check_other_methods(const TracedCase& network) {
  for_all_batches(network, [&](const Tensors& inputs, const Tensors& expected) {
    const Tensors results = network.network.by_other_methods(network.fresh, inputs);
    CHECK_FALSE(results.empty());
    for (const at::Tensor& result : results) CHECK(difference(result, expected[0]) <= 1e-5);
  });
}

void check_loaded(const TracedCase& network) {
  for_all_batches(network, [&](const Tensors& inputs, const Tensors& expected) {
    CHECK(equal(call(network.loaded, "forward", inputs), expected));
  });
}

void check_frozen(const TracedCase& network) {
  const auto& by_other_methods = network.network.by_other_methods;
  for_all_batches(network, [&](const Tensors& inputs, const Tensors& expected) {
    CHECK(equal(call(network.frozen, "forward", inputs), expected));
    CHECK(equal(by_other_methods(network.frozen, inputs), by_other_methods(network.fresh, inputs)));
  });
}

void check_bfloat16(const TracedCase& network) {
  for_all_batches(network, [&](const Tensors& inputs, const Tensors& expected) {
    CHECK(similarity(call(network.bfloat16, "forward", inputs)[0], expected[0]) >= 0.999);
    for (const at::Tensor& result : network.network.by_other_methods(network.bfloat16, inputs)) {
      CHECK(result.scalar_type() == at::kFloat);
      CHECK(similarity(result, expected[0]) >= 0.999);
    }
  });
}

void check_network_accuracy(const TracedCase& network) {
  at::manual_seed(1);
  const Tensors inputs = network.network.inputs(8);
  check_accuracy(network.network.kind,
                 {{"random weights", [&](at::ScalarType rounded, at::ScalarType computed) {
                     Module module = save_and_load(network.traced.module);
                     fill(module, network.traced.parameters, rounded, computed);
                     Tensors converted;
                     for (const at::Tensor& input : inputs) {
                       const bool is_float = input.is_floating_point();
                       converted.push_back(is_float ? input.to(rounded).to(computed) : input);
                     }
                     return call(module, "forward", converted)[0];
                   }}});
}

std::string rejection(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

std::string config_rejection(const NetworkCase& network, const std::string& key,
                             const nets::ConfigValue& value) {
  nets::Config config = network.config;
  config[key] = value;
  return rejection([&] { nets::trace_network(network.kind, config); });
}

}  // namespace karlo::testing
