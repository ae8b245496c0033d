#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>

#include <catch2/catch.hpp>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

constexpr int64_t kRows = 9;

template <typename T>
void check_rows(const simd::Kernels& kernels, int64_t channels, double tolerance) {
  const simd::RowKernels<T>& rows = kernels.rows<T>();
  const at::Tensor x = (at::randn({kRows, channels}) * 30).to(c10::CppTypeToScalarType<T>::value);
  const at::Tensor y = at::empty_like(x);
  const at::Tensor factors = at::randn({3, channels});
  const at::Tensor expected = (x.to(at::kDouble) - factors[0]) * factors[1] + factors[2];
  const T* from = x.const_data_ptr<T>();
  const float* data = factors.const_data_ptr<float>();
  const simd::Affine affine{data, data + channels, data + 2 * channels};
  rows.affine(from, kRows, channels, affine, y.mutable_data_ptr<T>());
  CHECK(relative_error(y, expected) <= tolerance);
  rows.affine_silu(from, kRows, channels, affine, y.mutable_data_ptr<T>());
  CHECK(relative_error(y, at::silu(expected)) <= tolerance);
}

template <typename T>
void check_moments(const simd::Kernels& kernels, int64_t channels, double mean) {
  const at::Tensor x = (at::randn({kRows, channels}) + mean).to(c10::CppTypeToScalarType<T>::value);
  const at::Tensor sums = at::empty({2, channels});
  const at::Tensor differences = x.to(at::kDouble) - x[0].to(at::kDouble);
  float* sum = sums.mutable_data_ptr<float>();
  kernels.rows<T>().moments(x.const_data_ptr<T>(), kRows, channels, sum, sum + channels);
  CHECK(relative_error(sums[0], differences.sum(0)) <= kTolerance);
  CHECK(relative_error(sums[1], (differences * differences).sum(0)) <= kTolerance);
}

TEST_CASE("affine transforms, with and without SiLU, agree with double precision") {
  for (const auto& [name, kernels] : available_kernels()) {
    for (const int64_t channels : {5, 16, 70, 128}) {
      CAPTURE(name, channels);
      check_rows<float>(kernels, channels, kTolerance);
      check_rows<at::BFloat16>(kernels, channels, kBf16Tolerance);
    }
  }
}

TEST_CASE("moments are the sums of differences from the first row, and of their squares") {
  for (const auto& [name, kernels] : available_kernels()) {
    for (const int64_t channels : {5, 16, 70, 128}) {
      for (const double mean : {0.0, 1000.0}) {
        CAPTURE(name, channels, mean);
        check_moments<float>(kernels, channels, mean);
        check_moments<at::BFloat16>(kernels, channels, mean);
      }
    }
  }
}

}  // namespace
}  // namespace karlo::testing
