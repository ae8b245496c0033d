#include "support/closeness.h"

#include <ATen/ops/where.h>

namespace karlo::testing {
namespace {

// Numbers of 16 bits as integers, such that neighbours differ by 1.
at::Tensor order_of(const at::Tensor& numbers) {
  const at::Tensor bits = numbers.contiguous().view(at::kShort).to(at::kInt);
  return at::where(bits.ge(0), bits, -32768 - bits);
}

}  // namespace

int64_t count_far(const at::Tensor& actual, const at::Tensor& expected) {
  const at::Tensor rounded = expected.to(actual.scalar_type());
  const at::Tensor far_in_places = (order_of(actual) - order_of(rounded)).abs().gt(1);
  const double largest = expected.abs().max().item<double>();
  const at::Tensor difference = (actual.to(at::kDouble) - expected.to(at::kDouble)).abs();
  // Also true for NaN.
  const at::Tensor far = difference.le(kFloat32Tolerance * largest).logical_not();
  return far_in_places.logical_and(far).sum().item<int64_t>();
}

}  // namespace karlo::testing
