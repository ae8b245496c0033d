#include "ops/ddpm_step/ddpm_step.h"

#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "ops/ddpm_step/cuda_arguments.cuh"
#include "ops/ddpm_step/cuda_ddpm_step.h"
#include "support/closeness.h"
#include "support/cuda_emulation.h"
#include "support/tensors.h"

KARLO_EMULATED(float32, float) {
#include "ops/ddpm_step/cuda.cu"
}

namespace karlo::testing {
namespace {

using Results = std::tuple<at::Tensor, at::Tensor>;

struct Case {
  at::Tensor x, output;
  std::optional<at::Tensor> noise;
  ops::DdpmCoefficients coefficients;
};

Results emulated(const Case& c) {
  static const auto program = EmulatedProgram().add("ddpm_step", ::float32::karlo::cuda::ddpm_step);
  REQUIRE(ops::cuda::can_use_ddpm_step(c.x, c.output, c.noise));
  return ops::cuda::ddpm_step(program, c.x, c.output, c.noise, c.coefficients);
}

Results composed(const Case& c, at::ScalarType dtype) {
  const auto noise = c.noise ? std::make_optional(c.noise->to(dtype)) : std::nullopt;
  return ops::ddpm_step(c.x.to(dtype), c.output.to(dtype), noise, c.coefficients);
}

// Those of a step in the middle of the decoder's schedule.
constexpr ops::DdpmCoefficients kLearned{
    4.0, ops::X0Coefficients{1, 0.87, 0.49}, 1.0, 0.21, 0.77, std::nullopt, -4.1, -2.9};

std::vector<ops::DdpmCoefficients> variants() {
  ops::DdpmCoefficients unguided = kLearned, sample = kLearned, fixed = kLearned,
                        unclipped = kLearned;
  unguided.guidance = std::nullopt;
  sample.x0 = std::nullopt;
  fixed.std = 0.31;
  unclipped.clip = std::nullopt;
  return {kLearned, unguided, sample, fixed, unclipped};
}

Case random_case(at::IntArrayRef shape, const ops::DdpmCoefficients& coefficients,
                 bool with_variance, bool last) {
  std::vector<int64_t> output = shape.vec();
  if (coefficients.guidance) output[0] *= 2;
  if (with_variance) output[1] *= 2;
  Case c{at::randn(shape), at::randn(output), at::randn(shape), coefficients};
  if (last) c.noise = std::nullopt;
  return c;
}

TEST_CASE("CUDA's ddpm_step agrees with the composed one bit by bit, but for exp()") {
  for (const std::vector<int64_t>& shape :
       std::vector<std::vector<int64_t>>{{2, 3, 16, 16}, {3, 3, 5, 7}, {4, 768}, {1, 1}}) {
    for (const ops::DdpmCoefficients& coefficients : variants()) {
      for (const bool last : {false, true}) {
        for (const bool with_variance : {true, false}) {
          if (!with_variance && !coefficients.std && !last) continue;
          CAPTURE(shape, with_variance, last, coefficients.std.has_value(),
                  coefficients.guidance.has_value(), coefficients.x0.has_value(),
                  coefficients.clip.has_value());
          const Case c = random_case(shape, coefficients, with_variance, last);
          const auto [next, x0] = emulated(c);
          const auto [expected_next, expected_x0] = composed(c, at::kFloat);
          CHECK(x0.equal(expected_x0));
          if (coefficients.std || last) CHECK(next.equal(expected_next));
          CHECK(relative_error(next, expected_next) <= kFloat32Tolerance);
          CHECK(relative_error(next, std::get<0>(composed(c, at::kDouble))) <= kFloat32Tolerance);
        }
      }
    }
  }
}

TEST_CASE("CUDA's ddpm_step leaves NaN where it is, and clamps infinities") {
  Case c = random_case({1, 3, 2, 2}, kLearned, /*with_variance=*/true, /*last=*/false);
  c.x[0][0][0][0] = std::nan("");
  c.x[0][1][0][0] = HUGE_VAL;
  const auto [next, x0] = emulated(c);
  CHECK(next.isnan().sum().item<int64_t>() == 1);
  CHECK(x0[0][0][0][0].isnan().item<bool>());
  CHECK(x0[0][1][0][0].item<float>() == 1);
}

// A TorchScript file may contain such calls.
TEST_CASE("ddpm_step rejects arguments that do not fit each other") {
  const Case c = random_case({2, 3, 4, 4}, kLearned, /*with_variance=*/true, /*last=*/false);
  const auto step = [&](const at::Tensor& output, const at::Tensor& noise) {
    return ops::ddpm_step(c.x, output, noise, kLearned);
  };
  CHECK_NOTHROW(step(c.output, *c.noise));
  CHECK_THROWS_AS(step(c.output.narrow(0, 0, 2), *c.noise), c10::Error);
  CHECK_THROWS_AS(step(c.output.narrow(1, 0, 3), *c.noise), c10::Error);
  CHECK_THROWS_AS(step(c.output.narrow(2, 0, 3), *c.noise), c10::Error);
  CHECK_THROWS_AS(step(c.output, c.noise->narrow(0, 0, 1)), c10::Error);
}

}  // namespace
}  // namespace karlo::testing
