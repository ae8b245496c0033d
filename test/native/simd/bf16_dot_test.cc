#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

using at::BFloat16;

// x [rows, in] times weight [out, in].
class Bf16Matmul {
 public:
  Bf16Matmul(const simd::Kernels& kernels, int64_t in, int64_t out, int64_t rows)
      : x(at::randn({rows, in}).to(at::kBFloat16)),
        weight(at::randn({out, in}).to(at::kBFloat16)),
        kernels_(kernels),
        vectors_((out + kernels.lanes - 1) / kernels.lanes) {}

  at::Tensor pack() const {
    return pack(weight, weight.size(1), weight.size(1), kernels_.bf16_dot.pack);
  }
  at::Tensor pack_transposed() const {
    return pack(weight.t().contiguous(), 1, weight.size(0), kernels_.bf16_dot.pack_transposed);
  }

  // The products of `count` rows. @param initial the sums to begin with
  at::Tensor operator()(const at::Tensor& packed, int64_t first, int64_t count,
                        const at::Tensor& initial, bool accumulate) const {
    const int64_t in = x.size(1);
    const at::Tensor sums = initial.clone();
    kernels_.bf16_dot.matmul({x.const_data_ptr<BFloat16>() + first * in, in, count, in,
                              packed.const_data_ptr<BFloat16>(), vectors_,
                              sums.mutable_data_ptr<float>() + first * columns(), columns(),
                              accumulate});
    return sums.narrow(0, first, count).narrow(1, 0, weight.size(0)).clone();
  }

  at::Tensor expected() const { return x.to(at::kDouble).matmul(weight.to(at::kDouble).t()); }
  int64_t rows() const { return x.size(0); }
  int64_t columns() const { return vectors_ * kernels_.lanes; }

  const at::Tensor x, weight;

 private:
  // Packs `weights` vector by vector. What is not written stays NaN.
  at::Tensor pack(const at::Tensor& weights, int64_t row_step, int64_t stride,
                  void (*kernel)(const simd::Bf16Packing&)) const {
    const int64_t in = weight.size(1), out = weight.size(0), lanes = kernels_.lanes;
    const at::Tensor packed = nans({(in + 1) / 2 * 2 * columns()}, x.options());
    for (int64_t first = 0; first < out; first += lanes) {
      kernel({weights.const_data_ptr<BFloat16>() + first * row_step, stride,
              std::min(lanes, out - first), in, packed.mutable_data_ptr<BFloat16>() + 2 * first,
              2 * columns()});
    }
    return packed;
  }

  const simd::Kernels& kernels_;
  int64_t vectors_;
};

template <typename F>
void for_all_shapes(const F& f) {
  for (const auto& [name, kernels] : available_bf16_dot_kernels()) {
    for (const int64_t in : {1, 2, 31, 64, 67}) {
      for (const int64_t out : {1, 16, 33, 48, 64}) {
        for (const int64_t rows : {1, 2, 5, 6, 7, 8, 13, 24}) {
          CAPTURE(name, in, out, rows);
          f(Bf16Matmul(kernels, in, out, rows));
        }
      }
    }
  }
}

TEST_CASE("transposed weights are packed in the same layout") {
  for_all_shapes(
      [](const Bf16Matmul& matmul) { CHECK(matmul.pack_transposed().equal(matmul.pack())); });
}

TEST_CASE("bf16_dot products agree with double precision") {
  for_all_shapes([](const Bf16Matmul& matmul) {
    const at::Tensor initial = nans({matmul.rows(), matmul.columns()}, at::kFloat);
    const at::Tensor all = matmul(matmul.pack(), 0, matmul.rows(), initial, false);
    CHECK(relative_error(all, matmul.expected()) <= kTolerance);
  });
}

TEST_CASE("bf16_dot products can be added to sums") {
  for_all_shapes([](const Bf16Matmul& matmul) {
    const at::Tensor ones = at::ones({matmul.rows(), matmul.columns()});
    const at::Tensor all = matmul(matmul.pack(), 0, matmul.rows(), ones, true);
    CHECK(relative_error(all, matmul.expected() + 1) <= kTolerance);
  });
}

TEST_CASE("in bf16_dot products, a row does not depend on the others") {
  for_all_shapes([](const Bf16Matmul& matmul) {
    const int64_t half = matmul.rows() / 2, rest = matmul.rows() - half;
    const at::Tensor packed = matmul.pack();
    const at::Tensor initial = nans({matmul.rows(), matmul.columns()}, at::kFloat);
    const at::Tensor all = matmul(packed, 0, matmul.rows(), initial, false);
    CHECK(matmul(packed, half, rest, initial, false).equal(all.narrow(0, half, rest)));
  });
}

TEST_CASE("the epilogue scales sums, adds bias and residual, and writes nothing else") {
  for (const auto& [name, kernels] : available_bf16_dot_kernels()) {
    CAPTURE(name);
    const at::Tensor sums = at::randn({5, 48}), bias = at::randn({37}).to(at::kBFloat16);
    const at::Tensor residual = at::randn({5, 40}).to(at::kBFloat16), scales = at::randn({5});
    const at::Tensor y = at::zeros_like(residual);
    kernels.bf16_dot.epilogue({sums.const_data_ptr<float>(), 48, 5, 37,
                               scales.const_data_ptr<float>(), bias.const_data_ptr<BFloat16>(),
                               residual.const_data_ptr<BFloat16>(), y.mutable_data_ptr<BFloat16>(),
                               40});
    const at::Tensor expected = sums.narrow(1, 0, 37) * scales.unsqueeze(1) + bias +
                                residual.narrow(1, 0, 37).to(at::kDouble);
    CHECK(relative_error(y.narrow(1, 0, 37), expected) <= kBf16Tolerance);
    CHECK(y.narrow(1, 37, 3).eq(0).all().item<bool>());
  }
}

}  // namespace
}  // namespace karlo::testing
