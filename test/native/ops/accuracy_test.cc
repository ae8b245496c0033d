#include "support/accuracy.h"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/jit/api/module.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nets/context_attention.h"
#include "nets/res_block.h"
#include "ops/attention/attention.h"
#include "ops/group_norm/group_norm.h"
#include "ops/linear/linear.h"

// Accuracy of each operator against float64, for well scaled and for hostile inputs.
namespace karlo::testing {
namespace {

using nets::ContextAttention;
using nets::ResBlock;
using nets::Scope;

// Weights by name, as nets::Scope asks for them: of a size that keeps activations in range.
class Weights {
 public:
  explicit Weights(double factor = 1) : factor_(factor) {}

  nets::TensorSource source(at::ScalarType rounded, at::ScalarType computed) {
    return [this, rounded, computed](const nets::TensorSpec& spec) {
      at::Tensor& weight = weights_[spec.name];
      if (!weight.defined()) weight = make(spec);
      return weight.to(rounded).to(computed);
    };
  }

 private:
  at::Tensor make(const nets::TensorSpec& spec) const {
    const at::Tensor noise = at::randn(spec.shape);
    if (spec.shape.size() == 1) {
      const bool is_norm = spec.name.find("norm") != std::string::npos &&
                           spec.name.find("weight") != std::string::npos;
      return is_norm ? 1 + 0.1 * noise : 0.1 * noise;
    }
    const auto inputs = static_cast<double>(noise[0].numel());
    const bool is_query = spec.name.find("to_q") != std::string::npos;
    return noise * ((is_query ? factor_ : 1) / std::sqrt(inputs));
  }

  double factor_;  // of the queries' weights
  std::map<std::string, at::Tensor> weights_;
};

struct Input {
  std::string name;
  at::Tensor x;
};

// Images whose channels have these moments, and some that are easily lost.
std::vector<Input> images(at::IntArrayRef shape) {
  const at::Tensor noise = at::randn(shape);
  at::Tensor constant_channels = noise.clone();
  constant_channels.narrow(1, 0, shape[1] / 2).fill_(3);
  return {{"mean / std 0", noise},
          {"mean / std 10", noise + 10},
          {"mean / std 100", noise + 100},
          {"mean / std 1000", noise + 1000},
          {"constant", at::full(shape, 7.3)},
          {"constant channels", constant_channels},
          {"denormal", noise * 1e-40}};
}

// A tensor with the numbers of `rounded`, in `computed`.
using Convert = std::function<at::Tensor(const at::Tensor&)>;
Convert converter(at::ScalarType rounded, at::ScalarType computed) {
  return [=](const at::Tensor& tensor) { return tensor.to(rounded).to(computed); };
}

TEST_CASE("group_norm is as accurate as LibTorch's", "[accuracy]") {
  for (const int64_t channels : {24, 320}) {
    const at::Tensor weight = 1 + 0.1 * at::randn({channels}), bias = 0.1 * at::randn({channels});
    std::vector<AccuracyCase> cases;
    for (const auto& [name, x] : images({2, channels, 24, 20})) {
      cases.push_back({name, [=, x = x](at::ScalarType rounded, at::ScalarType computed) {
                         const Convert as = converter(rounded, computed);
                         return ops::group_norm(as(x), 8, as(weight), as(bias), 1e-5, {}, true);
                       }});
    }
    check_accuracy("group_norm, " + std::to_string(channels) + " channels", cases);
  }
}

struct BlockSize {
  std::string name;
  int64_t channels, height, width;
};

TEST_CASE("res_block is as accurate as LibTorch's", "[accuracy]") {
  constexpr int64_t kTime = 16;
  const std::vector<BlockSize> sizes{{"32 channels", 32, 24, 20},
                                     {"56 channels", 56, 24, 20},
                                     {"192 channels", 192, 24, 20},
                                     {"192 channels, 64 x 48 pixels", 192, 64, 48},
                                     {"640 channels, 64 x 48 pixels", 640, 64, 48}};
  for (const BlockSize& size : sizes) {
    const int64_t channels = size.channels;
    Weights weights;
    const at::Tensor time = at::randn({1, kTime});
    std::vector<AccuracyCase> cases;
    for (const auto& [name, x] : images({2, channels, size.height, size.width})) {
      cases.push_back({name, [&, channels, x = x](at::ScalarType rounded, at::ScalarType computed) {
                         const Scope scope(torch::jit::Module("__torch__.block"),
                                           weights.source(rounded, computed));
                         nets::TimeProjections times;
                         const ResBlock block(scope["block"], channels, channels,
                                              {kTime, 8, 1e-5, true}, times);
                         const Convert as = converter(rounded, computed);
                         return block(as(x), times(as(time)));
                       }});
    }
    check_accuracy("res_block, " + size.name, cases);
  }
}

struct BlockCase {
  std::string name;
  int64_t skip;  // channels of the skip connection
  nets::Resample resample;
};

TEST_CASE("res_block with a skip connection or resampling is as accurate as LibTorch's",
          "[accuracy]") {
  constexpr int64_t kTime = 16;
  const std::vector<BlockCase> blocks{{"a skip connection", 24, nets::Resample::kNone},
                                      {"downsampling", 0, nets::Resample::kDown},
                                      {"upsampling", 0, nets::Resample::kUp}};
  for (const int64_t channels : {40, 176}) {
    Weights weights;
    const at::Tensor time = at::randn({1, kTime}), x = at::randn({2, channels, 24, 20});
    const at::Tensor skip = at::randn({2, 24, 24, 20});
    std::vector<AccuracyCase> cases;
    for (const BlockCase& c : blocks) {
      cases.push_back({c.name, [&, c, channels](at::ScalarType rounded, at::ScalarType computed) {
                         const Scope scope(torch::jit::Module("__torch__.block"),
                                           weights.source(rounded, computed));
                         nets::TimeProjections times;
                         const ResBlock block(scope[c.name], channels + c.skip, channels,
                                              {kTime, 8, 1e-5, true}, times, c.resample);
                         const Convert as = converter(rounded, computed);
                         if (c.skip == 0) return block(as(x), times(as(time)));
                         return block(as(x), times(as(time)), as(skip));
                       }});
    }
    check_accuracy("res_block, " + std::to_string(channels) + " channels", cases);
  }
}

TEST_CASE("context_attention is as accurate as LibTorch's", "[accuracy]") {
  constexpr int64_t kContext = 24, kTokens = 81;
  const std::vector<std::pair<int64_t, int64_t>> sizes{{48, 12}, {80, 20}, {72, 24}, {320, 64}};
  for (const auto& [channels, head_width] : sizes) {
    const at::Tensor x = at::randn({4, channels, 24, 20});
    const at::Tensor context = at::randn({4, kTokens, kContext});
    const at::Tensor mask = at::randn({4, kTokens}).gt(-0.5);
    const auto with = [&, channels = channels, head_width = head_width](Weights& weights) {
      return [&, channels, head_width](at::ScalarType rounded, at::ScalarType computed) {
        const Scope scope(torch::jit::Module("__torch__.attention"),
                          weights.source(rounded, computed));
        nets::ContextProjections contexts;
        const ContextAttention block(scope["block"], channels, head_width, kContext, 8, contexts);
        const Convert as = converter(rounded, computed);
        const at::Tensor cache = contexts(as(context));
        return block(as(x), {cache, ops::mask_bias(mask, cache)});
      };
    };
    Weights usual, strong(20);
    check_accuracy("context_attention, " + std::to_string(channels) + " channels",
                   {{"logits of +-3", with(usual)}, {"logits of +-60", with(strong)}});
  }
}

TEST_CASE("linear is as accurate as LibTorch's", "[accuracy]") {
  const at::Tensor weight = at::randn({768, 1030}) / 32, bias = at::randn({768});
  std::vector<AccuracyCase> cases;
  for (const int64_t rows : {1, 6, 32, 300}) {
    const at::Tensor x = at::randn({rows, 1030});
    cases.push_back(
        {std::to_string(rows) + " rows", [=](at::ScalarType rounded, at::ScalarType computed) {
           const Convert as = converter(rounded, computed);
           return ops::linear(as(x), as(weight), as(bias));
         }});
  }
  check_accuracy("linear, 1030 to 768", cases);
}

}  // namespace
}  // namespace karlo::testing
