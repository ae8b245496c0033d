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

// How much larger the kernels' error may be than LibTorch's.
constexpr double kFloat32Factor = 1.5, kBfloat16Factor = 1.0;
// Half a unit in the last place of the largest magnitude: what rounding the result alone costs.
constexpr double kFloat32Rounding = 0x1p-24, kBfloat16Rounding = 0x1p-8;

// Appends a row to the file that `npm run accuracy` makes docs/accuracy.md of.
void record(const std::string& subject, const std::string& input, const char* dtype,
            const Errors& kernels, const Errors& libtorch) {
  const char* path = std::getenv("KARLO_ACCURACY_FILE");
  if (path == nullptr) return;
  std::ofstream(path, std::ios::app)
      << simd::name_of(simd::capability()) << '\t' << subject << '\t' << input << '\t' << dtype
      << '\t' << kernels.max << '\t' << libtorch.max << '\t' << kernels.rms << '\t' << libtorch.rms
      << '\n';
}

}  // namespace

Errors errors_of(const at::Tensor& actual, const at::Tensor& exact) {
  const at::Tensor difference = (actual.to(at::kDouble) - exact).abs();
  const double largest = exact.abs().max().item<double>(), scale = largest > 0 ? largest : 1;
  return {difference.max().item<double>() / scale,
          std::sqrt((difference * difference).mean().item<double>()) / scale};
}

void check_accuracy(
    const std::string& subject, const std::string& input,
    const std::function<at::Tensor(at::ScalarType rounded, at::ScalarType computed)>& run) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    CAPTURE(subject, input, dtype);
    const at::Tensor exact = run(dtype, at::kDouble);
    const Errors kernels = errors_of(run(dtype, dtype), exact);
    const Errors libtorch = [&] {
      const ops::WithoutKernels without_kernels;
      return errors_of(run(dtype, dtype), exact);
    }();
    const bool is_float = dtype == at::kFloat;
    const double factor = is_float ? kFloat32Factor : kBfloat16Factor;
    const double rounding = is_float ? kFloat32Rounding : kBfloat16Rounding;
    CAPTURE(kernels.max, libtorch.max, kernels.rms, libtorch.rms);
    CHECK(kernels.max <= std::max(factor * libtorch.max, rounding));
    CHECK(kernels.rms <= std::max(factor * libtorch.rms, rounding));
    record(subject, input, is_float ? "float32" : "bfloat16", kernels, libtorch);
  }
}

}  // namespace karlo::testing
