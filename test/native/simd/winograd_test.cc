#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

TEST_CASE("Winograd weights in bfloat16 are G g G^T, and nothing else is written") {
  const at::Tensor full =
      at::tensor({1.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.0, 0.0, 1.0}, at::kDouble)
          .view({4, 3});
  const at::Tensor reduced = at::cat({full.narrow(0, 0, 2), full.narrow(0, 3, 1)});
  for (const auto& [name, kernels] : available_bf16_dot_kernels()) {
    for (const int64_t in : {1, 15, 16, 17, 32, 33, 70}) {
      for (const bool upsampled : {false, true}) {
        CAPTURE(name, in, upsampled);
        const at::Tensor weight = at::randn({in, 3, 3}).to(at::kBFloat16);
        const at::Tensor& g = upsampled ? reduced : full;
        const at::Tensor expected = g.matmul(weight.to(at::kDouble)).matmul(g.t());
        const at::Tensor y = at::zeros({g.size(0) * g.size(0), in + 3}, weight.options());
        kernels.bf16_dot.winograd.transform_weights(weight.const_data_ptr<at::BFloat16>(), in,
                                                    upsampled, y.mutable_data_ptr<at::BFloat16>(),
                                                    in + 3);
        CHECK(relative_error(y.narrow(1, 0, in), expected.flatten(1).t()) <= kBf16Tolerance);
        CHECK(y.narrow(1, in, 3).eq(0).all().item<bool>());
      }
    }
  }
}

}  // namespace
}  // namespace karlo::testing
