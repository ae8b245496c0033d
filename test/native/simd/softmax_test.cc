#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>

#include <catch2/catch.hpp>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

using at::BFloat16;

constexpr int64_t kRows = 7;

at::Tensor softmax(const simd::Kernels& kernels, const at::Tensor& logits) {
  const at::Tensor rows = logits.clone();
  kernels.softmax(rows.mutable_data_ptr<float>(), rows.size(0), rows.size(1));
  return rows;
}

at::Tensor random_logits(const simd::Kernels& kernels) {
  const at::Tensor logits = at::randn({kRows, 3 * kernels.lanes}) * 10;
  logits.select(1, 1).fill_(-10000);
  return logits;
}

TEST_CASE("softmax agrees with double precision") {
  for (const auto& [name, kernels] : available_kernels()) {
    CAPTURE(name);
    const at::Tensor logits = random_logits(kernels);
    const at::Tensor expected = at::softmax(logits.to(at::kDouble), 1);
    CHECK(relative_error(softmax(kernels, logits), expected) <= kTolerance);
  }
}

TEST_CASE("softmax rows sum to one") {
  for (const auto& [name, kernels] : available_kernels()) {
    CAPTURE(name);
    const at::Tensor sums = softmax(kernels, random_logits(kernels)).sum(1);
    CHECK(relative_error(sums, at::ones({kRows})) <= kTolerance);
  }
}

TEST_CASE("masked logits have weights of exactly zero") {
  for (const auto& [name, kernels] : available_kernels()) {
    CAPTURE(name);
    const at::Tensor weights = softmax(kernels, random_logits(kernels));
    CHECK(weights.select(1, 1).eq(0).all().item<bool>());
  }
}

// The softmax of logits * 0.25 + bias, whose last 8 columns are padding.
struct Bf16Softmax {
  static constexpr int64_t kWidth = 48, kPadding = 8;
  static constexpr float kScale = 0.25f;

  at::Tensor logits = at::randn({kRows, kWidth}) * 10, bias = at::randn({kWidth});
  at::Tensor numerators = at::empty({kRows, kWidth}, at::kBFloat16);
  at::Tensor reciprocal_sums = at::empty({kRows});

  explicit Bf16Softmax(const simd::Kernels& kernels) {
    bias.narrow(0, kWidth - kPadding, kPadding).fill_(-1e30f);
    const at::Tensor scratch = logits.clone();
    kernels.bf16_dot.softmax({scratch.mutable_data_ptr<float>(), kRows, kWidth, kScale,
                              bias.const_data_ptr<float>(), numerators.mutable_data_ptr<BFloat16>(),
                              reciprocal_sums.mutable_data_ptr<float>()});
  }
};

TEST_CASE("the bfloat16 softmax agrees with double precision") {
  for (const auto& [name, kernels] : available_bf16_dot_kernels()) {
    CAPTURE(name);
    const Bf16Softmax softmax(kernels);
    const at::Tensor expected =
        at::softmax(softmax.logits.to(at::kDouble) * Bf16Softmax::kScale + softmax.bias, 1);
    const at::Tensor actual =
        softmax.numerators.to(at::kFloat) * softmax.reciprocal_sums.unsqueeze(1);
    CHECK(relative_error(actual, expected) <= kBf16Tolerance);
  }
}

TEST_CASE("columns that pad the keys have bfloat16 weights of exactly zero") {
  for (const auto& [name, kernels] : available_bf16_dot_kernels()) {
    CAPTURE(name);
    const at::Tensor weights = Bf16Softmax(kernels).numerators;
    CHECK(weights.narrow(1, 40, 8).eq(0).all().item<bool>());
  }
}

}  // namespace
}  // namespace karlo::testing
