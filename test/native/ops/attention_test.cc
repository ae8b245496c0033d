#include "ops/attention/attention.h"

#include <ATen/ops/randn.h>
#include <torch/csrc/jit/api/module.h>

#include <catch2/catch.hpp>

#include "nets/context_attention.h"
#include "support/operators.h"

namespace karlo::testing {
namespace {

using nets::ContextAttention;
using nets::Scope;

void check(int64_t channels, int64_t head_width, int64_t tokens, int64_t height) {
  CAPTURE(channels);
  constexpr int64_t kBatch = 3, kContext = 10;
  const at::Tensor x = at::randn({kBatch, channels, height, height + 1});
  const at::Tensor context = at::randn({kBatch, tokens, kContext});
  const at::Tensor mask = at::randn({kBatch, tokens}).gt(-0.5);
  check_operator(
      kBatch, /*narrow=*/true,
      [&](const nets::TensorSource& source, at::ScalarType dtype, int64_t first, int64_t count) {
        const Scope scope(torch::jit::Module("__torch__.attention"), source);
        nets::ContextProjections contexts;
        contexts.add(scope["another"], kContext, 5);
        const ContextAttention block(scope["block"], channels, head_width, kContext, 4, contexts);
        const at::Tensor cache = contexts(context.to(dtype)).narrow(0, first, count);
        const at::Tensor bias = ops::mask_bias(mask.narrow(0, first, count), cache);
        return block(x.narrow(0, first, count).to(dtype), {cache, bias});
      });
}

TEST_CASE("context_attention agrees with double precision, whatever the threads and the batch") {
  check(32, 8, 9, 4);
  check(48, 12, 81, 7);
  check(80, 20, 3, 9);
}

// A TorchScript file may contain such calls.
TEST_CASE("context_attention rejects arguments that do not fit each other") {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const int64_t channels : {16, 192}) {
      CAPTURE(dtype, channels);
      const auto random = [&](at::IntArrayRef shape) { return at::randn(shape).to(dtype); };
      const Scope scope(torch::jit::Module("__torch__.misfits"),
                        [&](const nets::TensorSpec& spec) { return random(spec.shape); });
      nets::ContextProjections contexts;
      const ContextAttention attention(scope["attention"], channels, 8, 6, 4, contexts);
      const at::Tensor x = random({2, channels, 4, 4}), cache = contexts(random({2, 5, 6}));
      const at::Tensor bias = random({2, 1, 1, 5});
      CHECK_THROWS_AS(attention(x, {cache.narrow(0, 0, 1), bias}), c10::Error);
      CHECK_THROWS_AS(attention(x, {cache.narrow(2, 0, channels), bias}), c10::Error);
      CHECK_THROWS_AS(attention(x, {cache, bias.narrow(3, 0, 4)}), c10::Error);
    }
  }
}

}  // namespace
}  // namespace karlo::testing
