#include "support/accuracy.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "ops/operator.h"
#include "simd/kernels.h"

namespace karlo::testing {
namespace {

// How much larger the kernels' errors may be than LibTorch's.
constexpr double kFactor = 1.5;
// In bfloat16: root mean squares of as many roundings differ by chance.
constexpr double kBfloat16Factor = 1.02;
// Half a unit in the last place of the largest magnitude: what rounding a result alone costs.
constexpr double kFloat32Rounding = 0x1p-24;

// Appends a row to the file that `npm run accuracy` makes docs/guide/accuracy.md of.
void record(const std::string& subject, const std::string& input, const char* dtype,
            const Errors& kernels, const Errors& libtorch) {
  const char* path = std::getenv("KARLO_ACCURACY_FILE");
  if (path == nullptr) return;
  std::ofstream(path, std::ios::app)
      << simd::instruction_set().name << '\t' << subject << '\t' << input << '\t' << dtype << '\t'
      << kernels.max << '\t' << libtorch.max << '\t' << kernels.rms << '\t' << libtorch.rms << '\n';
}

Errors errors_of(const at::Tensor& actual, const at::Tensor& exact) {
  const at::Tensor difference = (actual.to(at::kDouble) - exact).abs();
  const double largest = exact.abs().max().item<double>(), scale = largest > 0 ? largest : 1;
  return {difference.max().item<double>() / scale,
          std::sqrt((difference * difference).mean().item<double>()) / scale};
}

struct Comparison {
  Errors kernels, libtorch;
};

Comparison compare(const AccuracyCase& c, at::ScalarType dtype) {
  const at::Tensor exact = c.run(dtype, at::kDouble);
  const Errors kernels = errors_of(c.run(dtype, dtype), exact);
  const ops::WithoutKernels without_kernels;
  return {kernels, errors_of(c.run(dtype, dtype), exact)};
}

void check_float32(const Comparison& errors) {
  const auto& [kernels, libtorch] = errors;
  CAPTURE(kernels.max, libtorch.max, kernels.rms, libtorch.rms);
  CHECK(kernels.max <= std::max(kFactor * libtorch.max, kFloat32Rounding));
  CHECK(kernels.rms <= std::max(kFactor * libtorch.rms, kFloat32Rounding));
}

void check_bfloat16(const std::vector<Comparison>& all) {
  double kernels = 0, libtorch = 0;
  for (const Comparison& errors : all) {
    kernels += errors.kernels.rms * errors.kernels.rms;
    libtorch += errors.libtorch.rms * errors.libtorch.rms;
    CHECK(errors.kernels.max <= kFactor * errors.libtorch.max);
  }
  CAPTURE(std::sqrt(kernels), std::sqrt(libtorch));
  CHECK(std::sqrt(kernels) <= kBfloat16Factor * std::sqrt(libtorch));
}

}  // namespace

void check_accuracy(const std::string& subject, const std::vector<AccuracyCase>& cases) {
  std::vector<Comparison> in_bfloat16;
  for (const AccuracyCase& c : cases) {
    CAPTURE(subject, c.input);
    const Comparison errors = compare(c, at::kFloat);
    record(subject, c.input, "float32", errors.kernels, errors.libtorch);
    check_float32(errors);
    in_bfloat16.push_back(compare(c, at::kBFloat16));
    record(subject, c.input, "bfloat16", in_bfloat16.back().kernels, in_bfloat16.back().libtorch);
  }
  CAPTURE(subject);
  check_bfloat16(in_bfloat16);
}

}  // namespace karlo::testing
