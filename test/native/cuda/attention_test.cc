#include "ops/attention/attention.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/where.h>

#include <catch2/catch.hpp>
#include <vector>

#include "ops/attention/cuda_arguments.cuh"
#include "ops/attention/cuda_attention.h"
#include "support/closeness.h"
#include "support/cuda_emulation.h"
#include "support/tensors.h"

KARLO_EMULATED(float32, float) {
#include "ops/attention/cuda.cu"
}
KARLO_EMULATED(bfloat16, BFloat16) {
#include "ops/attention/cuda.cu"
}
KARLO_EMULATED(float16, Half) {
#include "ops/attention/cuda.cu"
}

namespace karlo::testing {
namespace {

const EmulatedProgram& program(at::ScalarType dtype) {
  constexpr char kName[] = "cached_attention";
  static const auto float32 =
      EmulatedProgram().add(kName, ::float32::karlo::cuda::cached_attention);
  static const auto bfloat16 =
      EmulatedProgram().add(kName, ::bfloat16::karlo::cuda::cached_attention);
  static const auto float16 =
      EmulatedProgram().add(kName, ::float16::karlo::cuda::cached_attention);
  if (dtype == at::kFloat) return float32;
  return dtype == at::kHalf ? float16 : bfloat16;
}

struct Size {
  int64_t batch, heads, rows, cached, depth;
};

enum class Bias { kNone, kShared, kEach };

// The arguments as the prior's blocks have them: views with the strides of other tensors.
struct Case {
  at::Tensor q, k, v;
  std::optional<at::Tensor> cached_keys, cached_values, bias;

  Case(const Size& size, Bias with_bias, double logits) {
    const auto rows = [&](double factor) {
      return ops::split_heads(factor * at::randn({size.batch, size.rows, size.heads * size.depth}),
                              size.heads);
    };
    q = rows(logits);
    k = rows(1);
    v = rows(1);
    if (size.cached > 0) {
      const at::Tensor cache = at::randn({size.batch, 4, size.heads, size.cached, size.depth});
      cached_keys = cache.select(1, 2);
      cached_values = cache.select(1, 3);
    }
    if (with_bias == Bias::kNone) return;
    const int64_t keys = size.cached + size.rows;
    const at::Tensor wide =
        at::randn({with_bias == Bias::kEach ? size.batch : 1, 1, size.rows + 2, keys});
    bias = at::where(wide.lt(-0.5), ops::kMaskedBias, wide.clamp_max(0)).narrow(2, 2, size.rows);
  }

  Case in(at::ScalarType dtype) const {
    Case c = *this;
    for (at::Tensor* tensor : {&c.q, &c.k, &c.v}) *tensor = tensor->to(dtype);
    for (auto* tensor : {&c.cached_keys, &c.cached_values, &c.bias}) {
      if (*tensor) *tensor = (*tensor)->to(dtype);
    }
    return c;
  }
};

at::Tensor emulated(const Case& c) {
  const ops::cuda::CachedAttention input{c.q, c.k, c.v, c.cached_keys, c.cached_values, c.bias};
  REQUIRE(ops::cuda::can_use_cached_attention(input));
  return ops::cuda::cached_attention(program(c.q.scalar_type()), input);
}

at::Tensor composed(const Case& c) {
  const auto joined = [](const std::optional<at::Tensor>& first, const at::Tensor& rest) {
    return first ? at::cat({*first, rest}, 2) : rest;
  };
  return ops::merge_heads(
      ops::attend(c.q, joined(c.cached_keys, c.k), joined(c.cached_values, c.v), c.bias));
}

void check(const Size& size, Bias bias) {
  CAPTURE(size.rows, size.cached, size.depth, static_cast<int>(bias));
  const Case given(size, bias, 1);
  const at::Tensor y = emulated(given);
  CHECK(relative_error(y, composed(given)) <= kFloat32Tolerance);
  CHECK(relative_error(y, composed(given.in(at::kDouble))) <= kFloat32Tolerance);
  for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
    CAPTURE(dtype);
    const Case rounded = given.in(dtype);
    CHECK(count_far(emulated(rounded), composed(rounded.in(at::kDouble))) == 0);
  }
}

TEST_CASE("CUDA's cached attention agrees with the composed one for every size") {
  for (const Size& size : std::vector<Size>{{1, 2, 3, 78, 64},
                                            {3, 2, 1, 0, 40},
                                            {2, 1, 8, 33, 128},
                                            {1, 1, 2, 200, 16},
                                            {1, 1, 3, 1, 1}}) {
    check(size, Bias::kEach);
  }
}

TEST_CASE("CUDA's cached attention agrees with the composed one for every bias") {
  for (const Bias bias : {Bias::kNone, Bias::kShared, Bias::kEach}) check({2, 3, 5, 9, 7}, bias);
}

TEST_CASE("CUDA's cached attention does not overflow for large logits") {
  const Case given({1, 1, 3, 78, 64}, Bias::kEach, 300);
  const at::Tensor y = emulated(given);
  CHECK(relative_error(y, composed(given.in(at::kDouble))) <= 1e-4);
}

TEST_CASE("CUDA's cached attention averages the values if all keys are masked") {
  Case given({1, 2, 3, 9, 8}, Bias::kShared, 1);
  given.bias->fill_(ops::kMaskedBias);
  CHECK(relative_error(emulated(given), composed(given)) <= kFloat32Tolerance);
}

TEST_CASE("CUDA's cached attention is not for many rows, or for arguments that do not fit") {
  const auto usable = [](const Case& c) {
    return ops::cuda::can_use_cached_attention(
        {c.q, c.k, c.v, c.cached_keys, c.cached_values, c.bias});
  };
  CHECK(usable(Case({1, 2, 3, 9, 8}, Bias::kEach, 1)));
  CHECK_FALSE(usable(Case({1, 2, 9, 9, 8}, Bias::kEach, 1)));
  CHECK_FALSE(usable(Case({1, 2, 3, 1022, 8}, Bias::kEach, 1)));
  CHECK_FALSE(usable(Case({1, 2, 3, 9, 129}, Bias::kEach, 1)));
  Case other = Case({1, 2, 3, 9, 8}, Bias::kEach, 1);
  other.bias = other.bias->narrow(3, 0, 11);
  CHECK_FALSE(usable(other));
  other.bias = std::nullopt;
  other.cached_values = other.cached_values->to(at::kHalf);
  CHECK_FALSE(usable(other));
}

}  // namespace
}  // namespace karlo::testing
