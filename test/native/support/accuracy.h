#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace karlo::testing {

// How far a result is from float64: the largest difference, and the root of their mean square. Both
// relative to the largest magnitude in float64.
struct Errors {
  double max, rms;
};

// A computation with weights and inputs of a dtype. bfloat16 rounds them, so it is compared with
// float64 of the rounded numbers: `rounded` is the dtype whose numbers they are, `computed` the one
// that holds them.
struct AccuracyCase {
  std::string input;
  std::function<at::Tensor(at::ScalarType rounded, at::ScalarType computed)> run;
};

// Runs each case in float64, then in float32 and bfloat16 with this package's kernels and without
// them, and checks that the kernels are as accurate as LibTorch's operators: in float32 for each
// case; in bfloat16, of whose results a constant input gives only a few, for all cases together.
// @param subject the operator or network, as docs/guide/accuracy.md names it
void check_accuracy(const std::string& subject, const std::vector<AccuracyCase>& cases);

}  // namespace karlo::testing
