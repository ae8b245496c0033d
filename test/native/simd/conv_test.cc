#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <vector>

#include "ops/conv/cpu_direct.h"
#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

// The middle row of a 3x3 convolution of three rows, plus a residual.
void check_conv(const simd::Kernels& kernels, int64_t in, int64_t out, int64_t width) {
  const at::Tensor x = at::randn({1, in, 3, width}), bias = at::randn({out});
  const at::Tensor weight = at::randn({out, in, 3, 3}), residual = at::randn({width, out});
  const at::Tensor padded = at::constant_pad_nd(x, {1, 1})[0].permute({1, 2, 0}).contiguous();
  std::vector<at::Tensor> weights;
  std::vector<simd::Tap> taps;
  for (int64_t ky = 0; ky < 3; ++ky) {
    for (int64_t kx = 0; kx < 3; ++kx) {
      weights.push_back(weight.select(2, ky).select(2, kx));
      taps.push_back({padded[ky][kx].const_data_ptr<float>(), in, in});
    }
  }
  const at::Tensor y = at::empty({width, out});
  ops::cpu::DirectConv(weights, bias, kernels)(taps, width, y.mutable_data_ptr<float>(), out,
                                               residual.const_data_ptr<float>());
  const at::Tensor expected = at::conv2d(x, weight, bias, 1, 1)[0].select(1, 1).t() + residual;
  CHECK(relative_error(y, expected) <= kTolerance);
}

TEST_CASE("direct convolutions of any size agree with LibTorch") {
  for (const auto& [name, kernels] : available_kernels()) {
    for (const int64_t in : {1, 6, 16}) {
      for (const int64_t out : {3, 16, 20, 48, 70}) {
        for (const int64_t width : {1, 3, 4, 18}) {
          CAPTURE(name, in, out, width);
          check_conv(kernels, in, out, width);
        }
      }
    }
  }
}

}  // namespace
}  // namespace karlo::testing
