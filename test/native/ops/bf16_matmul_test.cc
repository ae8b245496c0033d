#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>

#include "ops/linear/cpu_bf16_matmul.h"
#include "simd/cpu_features.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

using ops::cpu::bf16_matmul;

at::Tensor random(at::IntArrayRef shape) { return at::randn(shape).to(at::kBFloat16); }

// Two products with strided rows. Both have more rows, and one has more inputs, than fit in one
// pass.
struct TwoProducts {
  at::Tensor x1 = random({1500, 1700}).narrow(1, 5, 1043), x2 = random({1500, 7});
  at::Tensor weight = random({150, 1050});
  at::Tensor weight1 = weight.narrow(1, 0, 1043), weight2 = weight.narrow(1, 1043, 7);
  at::Tensor bias = random({150}), residual = random({1500, 150});

  at::Tensor sum() const { return bf16_matmul({{x1, weight1}, {x2, weight2}}, bias, residual); }
};

TEST_CASE("a sum of bfloat16 products agrees with double precision") {
  if (!simd::has_bf16_dot()) return;
  const TwoProducts products;
  const at::Tensor x = at::cat({products.x1, products.x2}, 1).to(at::kDouble);
  const at::Tensor expected =
      x.matmul(products.weight.to(at::kDouble).t()) + products.bias + products.residual;
  CHECK(relative_error(products.sum(), expected) <= kBf16Tolerance);
}

TEST_CASE("a sum of bfloat16 products does not depend on the number of threads") {
  if (!simd::has_bf16_dot()) return;
  const TwoProducts products;
  at::set_num_threads(1);
  const at::Tensor on_one_thread = products.sum();
  at::set_num_threads(2);
  CHECK(products.sum().equal(on_one_thread));
}

TEST_CASE("in a bfloat16 product, a row does not depend on the others") {
  if (!simd::has_bf16_dot()) return;
  const TwoProducts products;
  const at::Tensor some =
      bf16_matmul({{products.x1.narrow(0, 3, 40), products.weight1}}, std::nullopt);
  const at::Tensor all = bf16_matmul({{products.x1, products.weight1}}, std::nullopt);
  CHECK(some.equal(all.narrow(0, 3, 40)));
}

TEST_CASE("a bfloat16 product of no rows is empty") {
  if (!simd::has_bf16_dot()) return;
  const TwoProducts products;
  const at::Tensor none = products.x1.narrow(0, 0, 0);
  CHECK(bf16_matmul({{none, products.weight1}}, products.bias).numel() == 0);
}

}  // namespace
}  // namespace karlo::testing
