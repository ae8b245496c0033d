#include <ATen/ops/conv2d.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>
#include <map>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

using simd::WinogradTile;

// G of each tile.
const std::map<WinogradTile, at::Tensor>& weight_transforms() {
  static const std::map<WinogradTile, at::Tensor> transforms = [] {
    const auto matrix = [](std::vector<double> numbers) {
      return at::tensor(numbers, at::kDouble).view({-1, 3});
    };
    const double a = 0.625, b = 1.5, of_a = 2 * a * a * (a * a - b * b), of_0 = a * a * b * b,
                 of_b = 2 * b * b * (b * b - a * a);
    return std::map<WinogradTile, at::Tensor>{
        {WinogradTile::k2x2, matrix({1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1})},
        {WinogradTile::kUpsampled, matrix({1, 0, 0, 0.5, 0.5, 0.5, 0, 0, 1})},
        {WinogradTile::k4x4, matrix({1 / of_0, 0, 0, 1 / of_a, a / of_a, a * a / of_a, 1 / of_a,
                                     -a / of_a, a * a / of_a, 1 / of_b, b / of_b, b * b / of_b,
                                     1 / of_b, -b / of_b, b * b / of_b, 0, 0, 1})}};
  }();
  return transforms;
}

TEST_CASE("Winograd weights are G g G^T, and nothing else is written") {
  for (const auto& [name, kernels] : available_kernels()) {
    for (const int64_t in : {1, 15, 16, 17, 32, 33, 70}) {
      for (const auto& [tile, g] : weight_transforms()) {
        CAPTURE(name, in, static_cast<int>(tile));
        const at::Tensor weight = at::randn({in, 3, 3});
        const at::Tensor expected = g.matmul(weight.to(at::kDouble)).matmul(g.t());
        const at::Tensor y = at::zeros({g.size(0) * g.size(0), in + 3});
        kernels.winograd_float.transform_weights(weight.const_data_ptr<float>(), in, tile,
                                                 y.mutable_data_ptr<float>(), in + 3);
        CHECK(relative_error(y.narrow(1, 0, in), expected.flatten(1).t()) <= kTolerance);
        CHECK(y.narrow(1, in, 3).eq(0).all().item<bool>());
      }
    }
  }
}

TEST_CASE("Winograd weights in bfloat16 are G g G^T, and nothing else is written") {
  for (const auto& [name, kernels] : available_bf16_dot_kernels()) {
    for (const int64_t in : {1, 15, 16, 17, 32, 33, 70}) {
      for (const WinogradTile tile : {WinogradTile::k2x2, WinogradTile::kUpsampled}) {
        CAPTURE(name, in, static_cast<int>(tile));
        const at::Tensor weight = at::randn({in, 3, 3}).to(at::kBFloat16);
        const at::Tensor& g = weight_transforms().at(tile);
        const at::Tensor expected = g.matmul(weight.to(at::kDouble)).matmul(g.t());
        const at::Tensor y = at::zeros({g.size(0) * g.size(0), in + 3}, weight.options());
        kernels.bf16_dot.winograd.transform_weights(weight.const_data_ptr<at::BFloat16>(), in, tile,
                                                    y.mutable_data_ptr<at::BFloat16>(), in + 3);
        CHECK(relative_error(y.narrow(1, 0, in), expected.flatten(1).t()) <= kBf16Tolerance);
        CHECK(y.narrow(1, in, 3).eq(0).all().item<bool>());
      }
    }
  }
}

// A row of tiles, convolved by the transforms of `kernels`, plus bias and residual.
at::Tensor convolve(const simd::Kernels& kernels, WinogradTile tile, const at::Tensor& x,
                    const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& residual) {
  const int64_t in = x.size(2), out = weight.size(0),
                tiles = residual.size(1) / winograd_output(tile);
  const int64_t components = winograd_components(tile);
  const at::Tensor weights = at::empty({out, components, in});
  for (int64_t o = 0; o < out; ++o) {
    kernels.winograd_float.transform_weights(weight[o].const_data_ptr<float>(), in, tile,
                                             weights[o].mutable_data_ptr<float>(), in);
  }
  const at::Tensor inputs = at::empty({components, tiles, in});
  simd::WinogradInput<float> input{tile,       {}, tiles, in, inputs.mutable_data_ptr<float>(),
                                   tiles * in, in};
  for (int y = 0; y < winograd_size(tile); ++y) input.rows[y] = x[y].const_data_ptr<float>();
  kernels.winograd_float.transform_input(input);

  const at::Tensor products = at::einsum("kti,oki->kto", {inputs, weights}).contiguous();
  const at::Tensor y = at::empty_like(residual);
  simd::WinogradOutput<float> output{tile, {}, out, tiles, out, bias.const_data_ptr<float>(),
                                     {},   {}, out};
  for (int64_t k = 0; k < components; ++k) output.products[k] = products[k].const_data_ptr<float>();
  for (int row = 0; row < winograd_output(tile); ++row) {
    output.residual[row] = residual[row].const_data_ptr<float>();
    output.y[row] = y[row].mutable_data_ptr<float>();
  }
  kernels.rows<float>().transform_winograd_output(output);
  return y;
}

TEST_CASE("the transforms of every tile compute a convolution") {
  constexpr int64_t kTiles = 5, kIn = 70, kOut = 21;
  for (const auto& [name, kernels] : available_kernels()) {
    for (const auto& [tile, g] : weight_transforms()) {
      CAPTURE(name, static_cast<int>(tile));
      const int64_t height = winograd_size(tile);
      const int64_t width = height + (kTiles - 1) * winograd_step(tile);
      const int64_t rows = winograd_output(tile), columns = kTiles * rows;
      const at::Tensor x = at::randn({height, width, kIn}), weight = at::randn({kOut, kIn, 3, 3});
      const at::Tensor bias = at::randn({kOut}), residual = at::randn({rows, columns, kOut});

      at::Tensor image = x.to(at::kDouble).permute({2, 0, 1}).unsqueeze(0);
      const bool upsampled = tile == WinogradTile::kUpsampled;
      if (upsampled) image = at::upsample_nearest2d(image, {2 * height, 2 * width});
      at::Tensor expected = at::conv2d(image, weight.to(at::kDouble), bias.to(at::kDouble))[0];
      // An upsampled tile starts at the second of the pixels that its first input pixel becomes.
      if (upsampled) expected = expected.narrow(1, 1, rows).narrow(2, 1, columns);
      expected = expected.permute({1, 2, 0}) + residual;
      CHECK(relative_error(convolve(kernels, tile, x, weight, bias, residual), expected) <=
            kTolerance);
    }
  }
}

}  // namespace
}  // namespace karlo::testing
