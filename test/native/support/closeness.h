#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace karlo::testing {

// Of results that are rounded to float32 once, relative to the largest magnitude.
constexpr double kFloat32Tolerance = 1e-6;

// How many elements of a 16-bit result are neither within one unit in the last place of `expected`,
// rounded to its dtype, nor within kFloat32Tolerance: a result near zero is a difference of larger
// numbers, so that its last place says little.
int64_t count_far(const at::Tensor& actual, const at::Tensor& expected);

}  // namespace karlo::testing
