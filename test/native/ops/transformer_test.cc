#include "ops/transformer/transformer.h"

#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "support/accuracy.h"
#include "support/operators.h"

namespace karlo::testing {
namespace {

using ops::Activation;
using ops::Attended;

struct Case {
  std::string name;
  int64_t batch, tokens, channels, heads, earlier;
  bool biased, causal;
  Activation activation;
};

const std::vector<Case> kCases{
    {"few tokens after many", 12, 3, 48, 4, 78, true, false, Activation::kGelu},
    {"causal", 9, 17, 36, 3, 0, false, true, Activation::kQuickGelu},
    {"all tokens", 12, 10, 60, 5, 0, false, false, Activation::kQuickGelu},
    {"biased", 6, 21, 40, 2, 0, true, false, Activation::kGelu},
    {"one token", 40, 1, 24, 1, 0, false, false, Activation::kGelu}};

// Random arguments, converted to a dtype.
class Arguments {
 public:
  explicit Arguments(const Case& c) : case_(c) {
    const int64_t channels = c.channels, mlp = 4 * channels;
    const auto matrix = [](int64_t out, int64_t in) {
      return at::randn({out, in}) / std::sqrt(static_cast<double>(in));
    };
    const auto norm = [&] { return 1 + 0.1 * at::randn({channels}); };
    const auto bias = [](int64_t size) { return 0.1 * at::randn({size}); };
    weights_ = {norm(), bias(channels)};
    for (int i = 0; i < 4; ++i) {
      weights_.insert(weights_.end(), {matrix(channels, channels), bias(channels)});
    }
    weights_.insert(weights_.end(), {norm(), bias(channels), matrix(mlp, channels), bias(mlp),
                                     matrix(channels, mlp), bias(channels)});
  }

  at::Tensor run(at::ScalarType rounded, at::ScalarType computed, int64_t first,
                 int64_t count) const {
    const auto as = [&](const at::Tensor& t) { return t.to(rounded).to(computed); };
    const auto part = [&](const at::Tensor& t) { return as(t.narrow(0, first, count)); };
    Attended attended;
    attended.causal = case_.causal;
    if (case_.earlier > 0) {
      attended.keys = part(keys_);
      attended.values = part(values_);
    }
    if (case_.biased) attended.bias = part(bias_);
    std::vector<at::Tensor> weights;
    for (const at::Tensor& weight : weights_) weights.push_back(as(weight));
    return ops::transformer_block(part(x_), attended, weights, case_.heads, 1e-5, case_.activation);
  }

 private:
  Case case_;
  at::Tensor x_ = at::randn({case_.batch, case_.tokens, case_.channels});
  at::Tensor keys_ =
      at::randn({case_.batch, case_.heads, case_.earlier, case_.channels / case_.heads});
  at::Tensor values_ = at::randn(keys_.sizes());
  at::Tensor bias_ =
      at::randn({case_.batch, 1, case_.tokens, case_.earlier + case_.tokens}).gt(1) * -10000.0;
  std::vector<at::Tensor> weights_;
};

TEST_CASE("transformer_block agrees with double precision, whatever the threads and the batch") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const Arguments arguments(c);
    const auto run = [&](at::ScalarType dtype, int64_t first, int64_t count) {
      return arguments.run(dtype, dtype, first, count);
    };
    const at::Tensor expected = run(at::kDouble, 0, c.batch);
    at::set_num_threads(1);
    const at::Tensor on_one_thread = run(at::kFloat, 0, c.batch);
    at::set_num_threads(2);
    const at::Tensor all = run(at::kFloat, 0, c.batch);
    CHECK(relative_error(all, expected) <= kTolerance);
    CHECK(relative_error(run(at::kBFloat16, 0, c.batch), expected) <= 3e-2);
    CHECK(all.equal(on_one_thread));
    for (int64_t b = 0; b < c.batch; ++b) CHECK(run(at::kFloat, b, 1).equal(all.narrow(0, b, 1)));
  }
}

TEST_CASE("transformer_block is as accurate as LibTorch's", "[accuracy]") {
  std::vector<AccuracyCase> cases;
  for (const Case& c : kCases) {
    cases.push_back(
        {c.name, [arguments = Arguments(c), c](at::ScalarType rounded, at::ScalarType computed) {
           return arguments.run(rounded, computed, 0, c.batch);
         }});
  }
  check_accuracy("transformer_block", cases);
}

// A TorchScript file may contain such calls.
TEST_CASE("transformer_block rejects arguments that do not fit each other") {
  const at::Tensor x = at::randn({2, 3, 8}), square = at::randn({8, 8}), row = at::randn({8});
  std::vector<at::Tensor> weights{row, row};
  for (int i = 0; i < 4; ++i) weights.insert(weights.end(), {square, row});
  weights.insert(weights.end(),
                 {row, row, at::randn({16, 8}), at::randn({16}), at::randn({8, 16}), row});
  const auto call = [&](const at::Tensor& tokens, const Attended& attended, int64_t heads) {
    return ops::transformer_block(tokens, attended, weights, heads, 1e-5, Activation::kGelu);
  };
  CHECK(call(x, {}, 2).sizes() == x.sizes());
  const at::Tensor keys = at::randn({2, 2, 5, 4}), bias = at::randn({2, 1, 3, 8});
  CHECK(call(x, {keys, keys, bias}, 2).sizes() == x.sizes());
  CHECK_THROWS_AS(call(at::randn({2, 3, 6}), {}, 2), c10::Error);
  CHECK_THROWS_AS(call(x, {}, 3), c10::Error);
  CHECK_THROWS_AS(call(x, {keys, {}, bias}, 2), c10::Error);
  CHECK_THROWS_AS(call(x, {keys, keys.narrow(2, 0, 4), bias}, 2), c10::Error);
  CHECK_THROWS_AS(call(x, {keys, keys, bias.narrow(3, 0, 7)}, 2), c10::Error);
  CHECK_THROWS_AS(call(x, {{}, {}, bias, true}, 2), c10::Error);
  weights[12] = square;
  CHECK_THROWS_AS(call(x, {}, 2), c10::Error);
  weights.pop_back();
  CHECK_THROWS_AS(call(x, {}, 2), c10::Error);
}

}  // namespace
}  // namespace karlo::testing
