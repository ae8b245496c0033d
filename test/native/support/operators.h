#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "nets/scope.h"
#include "simd/cpu_features.h"
#include "support/tensors.h"

namespace karlo::testing {

// Random weights, the same in every dtype.
class RandomWeights {
 public:
  nets::TensorSource source(at::ScalarType dtype) {
    return [this, dtype](const nets::TensorSpec& spec) {
      at::Tensor& weight = weights_[spec.name];
      if (!weight.defined()) weight = at::randn(spec.shape) * 0.3;
      return weight.to(dtype);
    };
  }

 private:
  std::map<std::string, at::Tensor> weights_;
};

// Runs an operator in `dtype` on one thread and on two, on all images at once and on each alone,
// and compares the result with double precision, for which there are no kernels.
// @param exact whether only kernels of this package compute it: LibTorch's sums may depend on the
// number of threads
// @param run (source of the weights, dtype, first image, images) -> result
template <typename Run>
void check_operator_in(at::ScalarType dtype, int64_t batch, double tolerance, bool exact,
                       const Run& run) {
  CAPTURE(dtype);
  RandomWeights weights;
  const auto compute = [&](at::ScalarType type, int64_t first, int64_t count) -> at::Tensor {
    return run(weights.source(type), type, first, count);
  };
  const at::Tensor expected = compute(at::kDouble, 0, batch);
  at::set_num_threads(1);
  const at::Tensor on_one_thread = compute(dtype, 0, batch);
  at::set_num_threads(2);
  const at::Tensor all = compute(dtype, 0, batch);
  CHECK(relative_error(all, expected) <= tolerance);
  // LibTorch's operators keep the memory format of their input.
  if (dtype == at::kFloat || exact) CHECK(all.is_contiguous(at::MemoryFormat::ChannelsLast));
  if (!exact) return;
  CHECK(all.equal(on_one_thread));
  for (int64_t b = 0; b < batch; ++b) {
    CAPTURE(b);
    CHECK(compute(dtype, b, 1).equal(all.narrow(0, b, 1)));
  }
}

template <typename Run>
void check_operator(int64_t batch, bool narrow, const Run& run) {
  check_operator_in(at::kFloat, batch, kTolerance, narrow, run);
  // In bfloat16, weights and images are rounded as well.
  check_operator_in(at::kBFloat16, batch, 2e-2, simd::prefers_bf16_dot(at::kBFloat16), run);
}

}  // namespace karlo::testing
