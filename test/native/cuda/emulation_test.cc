#include <c10/util/BFloat16.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "support/cuda_emulation.h"

namespace karlo::testing {
namespace {

struct Arguments {
  float* to;
};

// Each thread writes the sum of its block's indices, which it gets by a warp's sum and shared
// memory.
inline void sum_of_indices(Arguments in) {
  __shared__ float parts[3];
  const float sum = cuda::sum_of_warp(static_cast<float>(threadIdx.x));
  if (threadIdx.x % cuda::kWarp == 0) parts[threadIdx.x / cuda::kWarp] = sum;
  __syncthreads();
  in.to[blockIdx.x * blockDim.x + threadIdx.x] = parts[0] + parts[1] + parts[2] + blockIdx.x;
}

inline void diverge(Arguments) {
  if (threadIdx.x != 5) __syncthreads();
}

TEST_CASE("emulated threads share a block's memory, and exchange values within a warp") {
  std::vector<float> to(2 * 96);
  EmulatedProgram().add("sum", sum_of_indices).launch("sum", {2, 1, 1, 96}, Arguments{to.data()});
  for (size_t i = 0; i < to.size(); ++i) CHECK(to[i] == 96 * 95 / 2 + (i < 96 ? 0 : 1));
}

TEST_CASE("an emulated barrier that one thread does not reach is an error") {
  const auto program = EmulatedProgram().add("diverge", diverge);
  CHECK_THROWS_AS(program.launch("diverge", {1, 1, 1, 32}, Arguments{nullptr}), std::logic_error);
}

TEST_CASE("floats are rounded to bfloat16 as LibTorch rounds them") {
  for (const float value : {0.0f, -0.0f, 1.0f, 1.00390625f, 1.01171875f, 3.3895314e38f, 1e-40f,
                            -7.3f, HUGE_VALF, -HUGE_VALF}) {
    CAPTURE(value);
    cuda::BFloat16 rounded;
    cuda::from_float(value, rounded);
    CHECK(rounded.bits == c10::BFloat16(value).x);
    CHECK(cuda::to_float(rounded) == static_cast<float>(c10::BFloat16(value)));
  }
  cuda::BFloat16 nan;
  cuda::from_float(NAN, nan);
  CHECK(std::isnan(cuda::to_float(nan)));
}

}  // namespace
}  // namespace karlo::testing
