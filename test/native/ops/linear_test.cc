#include "ops/linear/linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <vector>

#include "support/tensors.h"

namespace karlo::testing {
namespace {

constexpr double kRoundedTolerance = 8e-3;  // bfloat16, in which LibTorch rounds more than once

double tolerance_of(at::ScalarType dtype) {
  return dtype == at::kBFloat16 ? kRoundedTolerance : dtype == at::kHalf ? 1e-3 : kTolerance;
}

TEST_CASE("linear agrees with double precision for any dtype, shape and layout") {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kDouble, at::kHalf}) {
    const at::Tensor weight = at::randn({70, 40}).to(dtype), bias = at::randn({70}).to(dtype);
    const double tolerance = tolerance_of(dtype);
    for (const at::Tensor& input : {at::randn({40}), at::randn({2, 3, 40}), at::randn({40, 5}).t(),
                                    at::randn({0, 40}), at::randn({2, 200, 40})}) {
      CAPTURE(dtype, input.sizes());
      const at::Tensor x = input.to(dtype);
      const at::Tensor expected = at::linear(x.to(at::kDouble), weight.to(at::kDouble));
      const at::Tensor y = ops::linear(x, weight, std::nullopt);
      CHECK(y.scalar_type() == dtype);
      CHECK(y.sizes() == expected.sizes());
      if (x.numel() == 0) continue;
      CHECK(relative_error(y, expected) <= tolerance);
      CHECK(relative_error(ops::linear(x, weight, bias), expected + bias) <= tolerance);
    }
  }
}

// As many as the bf16_dot kernels need to be used, if there are any.
TEST_CASE("linear of many rows agrees with double precision in bfloat16") {
  const at::Tensor x = at::randn({300, 1030}).to(at::kBFloat16);
  const at::Tensor weight = at::randn({1000, 1030}).to(at::kBFloat16);
  const at::Tensor expected = at::linear(x.to(at::kDouble), weight.to(at::kDouble));
  CHECK(relative_error(ops::linear(x, weight, std::nullopt), expected) <= kRoundedTolerance);
}

TEST_CASE("linear does not depend on the number of threads") {
  const at::Tensor weight = at::randn({2048, 2048}), x = at::randn({6, 2048});
  at::set_num_threads(1);
  const at::Tensor on_one_thread = ops::linear(x, weight, std::nullopt);
  at::set_num_threads(2);
  CHECK(ops::linear(x, weight, std::nullopt).equal(on_one_thread));
}

}  // namespace
}  // namespace karlo::testing
