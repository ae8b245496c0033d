#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace karlo::testing {

constexpr double kTolerance = 1e-5;      // for float32, relative to the largest magnitude
constexpr double kBf16Tolerance = 4e-3;  // for results that are rounded to bfloat16 once

// The largest absolute difference, relative to the largest magnitude of `expected`. Infinite if the
// shapes differ.
double relative_error(const at::Tensor& actual, const at::Tensor& expected);

// NaN where a number is required.
at::Tensor nans(at::IntArrayRef shape, at::TensorOptions options);

}  // namespace karlo::testing
