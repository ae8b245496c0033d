#include "ops/group_norm/group_norm.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ops/group_norm/cuda_arguments.cuh"
#include "ops/group_norm/cuda_group_norm.h"
#include "ops/operator.h"
#include "support/closeness.h"
#include "support/cuda_emulation.h"
#include "support/tensors.h"

KARLO_EMULATED(float32, float) {
#include "ops/group_norm/cuda.cu"
}
KARLO_EMULATED(bfloat16, BFloat16) {
#include "ops/group_norm/cuda.cu"
}
KARLO_EMULATED(float16, Half) {
#include "ops/group_norm/cuda.cu"
}

namespace karlo::testing {
namespace {

#define KARLO_GROUP_NORM(kernels)                                           \
  EmulatedProgram()                                                         \
      .add("group_norm_moments", kernels::group_norm_moments)               \
      .add("group_norm_moments_vector", kernels::group_norm_moments_vector) \
      .add("group_norm_factors", kernels::group_norm_factors)               \
      .add("group_norm_apply", kernels::group_norm_apply)                   \
      .add("group_norm_apply_vector", kernels::group_norm_apply_vector)

const EmulatedProgram& program(at::ScalarType dtype) {
  static const EmulatedProgram float32 = KARLO_GROUP_NORM(::float32::karlo::cuda);
  static const EmulatedProgram bfloat16 = KARLO_GROUP_NORM(::bfloat16::karlo::cuda);
  static const EmulatedProgram float16 = KARLO_GROUP_NORM(::float16::karlo::cuda);
  if (dtype == at::kFloat) return float32;
  return dtype == at::kHalf ? float16 : bfloat16;
}

struct Case {
  at::Tensor x;
  int64_t groups;
  at::Tensor weight, bias;
  ops::Modulation modulation;
  bool silu;
};

Case in_dtype(const Case& given, at::ScalarType dtype) {
  const auto as = [&](const std::optional<at::Tensor>& values) {
    return values ? std::make_optional(values->to(dtype)) : std::nullopt;
  };
  return {given.x.to(dtype),
          given.groups,
          given.weight.to(dtype),
          given.bias.to(dtype),
          {as(given.modulation.offset), as(given.modulation.scale), as(given.modulation.shift)},
          given.silu};
}

constexpr double kEps = 1e-5;

at::Tensor emulated(const Case& c) {
  const ops::cuda::Norm norm{c.weight, c.bias, c.groups, kEps};
  REQUIRE(ops::cuda::can_use_group_norm(c.x, norm, c.modulation));
  return ops::cuda::group_norm(program(c.x.scalar_type()),
                               c.x.contiguous(at::MemoryFormat::ChannelsLast), norm, c.modulation,
                               c.silu);
}

// In float64, for which there are no kernels.
at::Tensor composed(const Case& given) {
  const Case c = in_dtype(given, at::kDouble);
  return ops::group_norm(c.x, c.groups, c.weight, c.bias, kEps, c.modulation, c.silu);
}

void check(const Case& given) {
  const Case c = in_dtype(given, at::kFloat);
  const at::Tensor y = emulated(c);
  CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(relative_error(y, composed(c)) <= kFloat32Tolerance);
  for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
    CAPTURE(dtype);
    const Case rounded = in_dtype(given, dtype);
    CHECK(count_far(emulated(rounded), composed(rounded)) == 0);
  }
}

struct Size {
  int64_t batch, channels, groups, height, width;
};

Case random_case(const Size& size, bool modulated, bool silu) {
  const at::Tensor x = at::randn({size.batch, size.channels, size.height, size.width});
  Case c{x,  size.groups, 1 + 0.1 * at::randn({size.channels}), 0.1 * at::randn({size.channels}),
         {}, silu};
  if (!modulated) return c;
  // As a ResBlock reads them: a part of what all blocks read.
  const at::Tensor times = at::randn({size.batch, 2 * size.channels + 3});
  c.modulation = {at::randn({1, size.channels}), times.narrow(1, 1, size.channels),
                  times.narrow(1, 1 + size.channels, size.channels)};
  return c;
}

TEST_CASE("CUDA's group_norm agrees with the composed one for every size") {
  const std::vector<Size> sizes{{3, 24, 4, 7, 5},   {2, 320, 32, 8, 8},  {2, 192, 8, 64, 3},
                                {1, 7, 7, 1, 1},    {2, 33, 3, 33, 1},   {1, 1280, 32, 8, 8},
                                {1, 40, 2, 1, 129}, {1, 320, 32, 64, 64}};
  for (const Size& size : sizes) {
    for (const bool modulated : {false, true}) {
      CAPTURE(size.channels, size.height, size.width, modulated);
      check(random_case(size, modulated, /*silu=*/modulated));
    }
  }
}

TEST_CASE("CUDA's group_norm is accurate for hostile inputs") {
  const Size size{2, 24, 4, 24, 20};
  const at::Tensor noise = at::randn({2, 24, 24, 20});
  at::Tensor constant_channels = noise.clone();
  constant_channels.narrow(1, 0, 12).fill_(3);
  const std::vector<std::pair<std::string, at::Tensor>> inputs{
      {"mean / std 10", noise + 10},
      {"mean / std 100", noise + 100},
      {"mean / std 1000", noise + 1000},
      {"constant", at::full_like(noise, 7.3)},
      {"constant channels", constant_channels},
      {"denormal", noise * 1e-40}};
  for (const auto& [name, x] : inputs) {
    CAPTURE(name);
    Case c = random_case(size, /*modulated=*/false, /*silu=*/true);
    c.x = x;
    check(c);
  }
}

TEST_CASE("CUDA's group_norm agrees with LibTorch's in float32") {
  const Case c = random_case({2, 320, 32, 16, 16}, /*modulated=*/true, /*silu=*/true);
  const ops::WithoutKernels without;
  const at::Tensor expected =
      ops::group_norm(c.x, c.groups, c.weight, c.bias, kEps, c.modulation, c.silu);
  CHECK(relative_error(emulated(c), expected) <= kFloat32Tolerance);
}

TEST_CASE("CUDA's group_norm of an image does not depend on its batch") {
  const Case c = random_case({3, 48, 8, 9, 9}, /*modulated=*/true, /*silu=*/true);
  const at::Tensor all = emulated(c);
  for (int64_t b = 0; b < 3; ++b) {
    CAPTURE(b);
    Case one = c;
    one.x = c.x.narrow(0, b, 1);
    one.modulation.scale = c.modulation.scale->narrow(0, b, 1);
    one.modulation.shift = c.modulation.shift->narrow(0, b, 1);
    CHECK(emulated(one).equal(all.narrow(0, b, 1)));
  }
}

TEST_CASE("CUDA's group_norm leaves NaN where it is") {
  Case c = random_case({2, 24, 4, 5, 5}, /*modulated=*/false, /*silu=*/true);
  c.x[0].fill_(std::nan(""));
  const at::Tensor y = emulated(c);
  CHECK(y[0].isnan().all().item<bool>());
  CHECK_FALSE(y[1].isnan().any().item<bool>());
}

TEST_CASE("CUDA's group_norm is not for parameters of another dtype or shape") {
  const Case c = random_case({2, 24, 4, 5, 5}, /*modulated=*/true, /*silu=*/true);
  const auto usable = [&](const at::Tensor& weight, const ops::Modulation& modulation) {
    return ops::cuda::can_use_group_norm(c.x, {weight, c.bias, c.groups, kEps}, modulation);
  };
  CHECK(usable(c.weight, c.modulation));
  CHECK_FALSE(usable(c.weight.to(at::kHalf), {}));
  CHECK_FALSE(usable(c.weight.narrow(0, 0, 23), {}));
  CHECK_FALSE(usable(c.weight, {std::nullopt, at::randn({3, 24}), std::nullopt}));
  CHECK_FALSE(usable(c.weight, {std::nullopt, at::randn({24, 2}).t(), std::nullopt}));
}

}  // namespace
}  // namespace karlo::testing
