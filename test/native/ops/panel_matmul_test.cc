#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <vector>

#include "ops/linear/cpu_panel_matmul.h"
#include "simd/cpu_features.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

using ops::cpu::panel_matmul;

std::vector<at::ScalarType> dtypes() {
  std::vector<at::ScalarType> all{at::kFloat};
  if (simd::has_bf16_dot()) all.push_back(at::kBFloat16);
  return all;
}

// Two products with strided rows. Both have more rows, and one has more inputs, than fit in one
// pass.
struct TwoProducts {
  explicit TwoProducts(at::ScalarType dtype) : dtype(dtype) {}

  at::Tensor random(at::IntArrayRef shape) const { return at::randn(shape).to(dtype); }
  at::Tensor sum() const { return panel_matmul({{x1, weight1}, {x2, weight2}}, bias, residual); }

  at::ScalarType dtype;
  at::Tensor x1 = random({1500, 1700}).narrow(1, 5, 1043), x2 = random({1500, 7});
  at::Tensor weight = random({150, 1050});
  at::Tensor weight1 = weight.narrow(1, 0, 1043), weight2 = weight.narrow(1, 1043, 7);
  at::Tensor bias = random({150}), residual = random({1500, 150});
};

TEST_CASE("a sum of products with packed weights agrees with double precision") {
  for (const at::ScalarType dtype : dtypes()) {
    CAPTURE(dtype);
    const TwoProducts products(dtype);
    const at::Tensor x = at::cat({products.x1, products.x2}, 1).to(at::kDouble);
    const at::Tensor expected =
        x.matmul(products.weight.to(at::kDouble).t()) + products.bias + products.residual;
    const double tolerance = dtype == at::kFloat ? kTolerance : kBf16Tolerance;
    CHECK(relative_error(products.sum(), expected) <= tolerance);
  }
}

TEST_CASE("a sum of products with packed weights does not depend on the number of threads") {
  for (const at::ScalarType dtype : dtypes()) {
    CAPTURE(dtype);
    const TwoProducts products(dtype);
    at::set_num_threads(1);
    const at::Tensor on_one_thread = products.sum();
    at::set_num_threads(2);
    CHECK(products.sum().equal(on_one_thread));
  }
}

TEST_CASE("in a product with packed weights, a row does not depend on the others") {
  for (const at::ScalarType dtype : dtypes()) {
    CAPTURE(dtype);
    const TwoProducts products(dtype);
    const at::Tensor some =
        panel_matmul({{products.x1.narrow(0, 3, 40), products.weight1}}, std::nullopt);
    const at::Tensor all = panel_matmul({{products.x1, products.weight1}}, std::nullopt);
    CHECK(some.equal(all.narrow(0, 3, 40)));
  }
}

TEST_CASE("a product of no rows is empty") {
  for (const at::ScalarType dtype : dtypes()) {
    CAPTURE(dtype);
    const TwoProducts products(dtype);
    const at::Tensor none = products.x1.narrow(0, 0, 0);
    CHECK(panel_matmul({{none, products.weight1}}, products.bias).numel() == 0);
  }
}

}  // namespace
}  // namespace karlo::testing
