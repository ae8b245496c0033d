#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

namespace karlo::testing {

// How far a result is from float64: the largest difference, and the root of their mean square. Both
// relative to the largest magnitude in float64.
struct Errors {
  double max, rms;
};

Errors errors_of(const at::Tensor& actual, const at::Tensor& exact);

// Runs a computation in float64, then in float32 and bfloat16 with this package's kernels and
// without them, and checks that the kernels are as accurate as LibTorch's operators.
// @param subject, input what the row of docs/accuracy.md is called
// @param run computes with weights and inputs of a dtype. bfloat16 rounds them first, so it is
// compared with float64 of the rounded ones: `run` gets the dtype that they are rounded to
void check_accuracy(
    const std::string& subject, const std::string& input,
    const std::function<at::Tensor(at::ScalarType rounded, at::ScalarType computed)>& run);

}  // namespace karlo::testing
