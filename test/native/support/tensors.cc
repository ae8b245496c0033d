#include "support/tensors.h"

#include <ATen/ops/full.h>

#include <limits>

namespace karlo::testing {

double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  const at::Tensor a = actual.to(at::kDouble), b = expected.to(at::kDouble);
  const double difference = (a - b).abs().max().item<double>();
  return difference == 0 ? 0 : difference / b.abs().max().item<double>();
}

at::Tensor nans(at::IntArrayRef shape, at::TensorOptions options) {
  return at::full(shape, std::numeric_limits<double>::quiet_NaN(), options);
}

}  // namespace karlo::testing
