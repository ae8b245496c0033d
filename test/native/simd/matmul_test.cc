#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

// x [rows, in] times weight [out, in], with the kernels for T.
template <typename T>
class Product {
 public:
  Product(const simd::Kernels& kernels, int64_t in, int64_t out, int64_t rows)
      : x(at::randn({rows, in}).to(c10::CppTypeToScalarType<T>::value)),
        weight(at::randn({out, in}).to(c10::CppTypeToScalarType<T>::value)),
        lanes_(kernels.lanes),
        kernels_(kernels.matmul<T>()),
        vectors_((out + lanes_ - 1) / lanes_) {}

  at::Tensor pack() const { return pack(weight, weight.size(1), weight.size(1), kernels_.pack); }
  at::Tensor pack_transposed() const {
    return pack(weight.t().contiguous(), 1, weight.size(0), kernels_.pack_transposed);
  }

  // The products of `count` rows. @param initial the sums to begin with
  at::Tensor operator()(const at::Tensor& packed, int64_t first, int64_t count,
                        const at::Tensor& initial, bool accumulate) const {
    const int64_t in = x.size(1);
    const at::Tensor sums = initial.clone();
    kernels_.matmul({x.const_data_ptr<T>() + first * in, in, count, in, packed.const_data_ptr<T>(),
                     vectors_, sums.mutable_data_ptr<float>() + first * columns(), columns(),
                     accumulate});
    return sums.narrow(0, first, count).narrow(1, 0, weight.size(0)).clone();
  }

  at::Tensor expected() const { return x.to(at::kDouble).matmul(weight.to(at::kDouble).t()); }
  int64_t rows() const { return x.size(0); }
  int64_t columns() const { return vectors_ * lanes_; }

  const at::Tensor x, weight;

 private:
  // Packs `weights` vector by vector. What is not written stays NaN.
  at::Tensor pack(const at::Tensor& weights, int64_t row_step, int64_t stride,
                  void (*kernel)(const simd::Packing<T>&)) const {
    const int64_t in = weight.size(1), out = weight.size(0), group = kernels_.group;
    const at::Tensor packed = nans({(in + group - 1) / group * group * columns()}, x.options());
    for (int64_t first = 0; first < out; first += lanes_) {
      kernel({weights.const_data_ptr<T>() + first * row_step, stride, std::min(lanes_, out - first),
              in, packed.mutable_data_ptr<T>() + group * first, group * columns()});
    }
    return packed;
  }

  int64_t lanes_;
  const simd::MatmulKernels<T>& kernels_;
  int64_t vectors_;
};

template <typename T, typename F>
void for_shapes_of(const simd::Kernels& kernels, const F& f) {
  for (const int64_t in : {1, 2, 31, 64, 67}) {
    for (int64_t vectors = 1; vectors <= kernels.matmul<T>().panel_vectors; ++vectors) {
      // Not a single result, whose magnitude may be far below that of the products.
      for (const int64_t missing : {int64_t{0}, kernels.lanes / 2 - 1}) {
        for (const int64_t rows : {1, 2, 3, 5, 6, 7, 8, 13, 24}) {
          const int64_t out = vectors * kernels.lanes - missing;
          CAPTURE(in, out, rows);
          f(Product<T>(kernels, in, out, rows));
        }
      }
    }
  }
}

// Calls f(product) for each dtype, shape and instruction set.
template <typename F>
void for_all_shapes(const F& f) {
  for (const auto& [name, kernels] : available_kernels()) {
    CAPTURE(name);
    if (kernels.lanes > 1) for_shapes_of<float>(kernels, f);
    if (kernels.bf16_dot.matmul.matmul != nullptr) for_shapes_of<at::BFloat16>(kernels, f);
  }
}

TEST_CASE("transposed weights are packed in the same layout") {
  for_all_shapes(
      [](const auto& product) { CHECK(product.pack_transposed().equal(product.pack())); });
}

TEST_CASE("products with packed weights agree with double precision") {
  for_all_shapes([](const auto& product) {
    const at::Tensor initial = nans({product.rows(), product.columns()}, at::kFloat);
    const at::Tensor all = product(product.pack(), 0, product.rows(), initial, false);
    CHECK(relative_error(all, product.expected()) <= kTolerance);
  });
}

TEST_CASE("products with packed weights can be added to sums") {
  for_all_shapes([](const auto& product) {
    const at::Tensor ones = at::ones({product.rows(), product.columns()});
    const at::Tensor all = product(product.pack(), 0, product.rows(), ones, true);
    CHECK(relative_error(all, product.expected() + 1) <= kTolerance);
  });
}

TEST_CASE("in products with packed weights, a row does not depend on the others") {
  for_all_shapes([](const auto& product) {
    const int64_t half = product.rows() / 2, rest = product.rows() - half;
    const at::Tensor packed = product.pack();
    const at::Tensor initial = nans({product.rows(), product.columns()}, at::kFloat);
    const at::Tensor all = product(packed, 0, product.rows(), initial, false);
    CHECK(product(packed, half, rest, initial, false).equal(all.narrow(0, half, rest)));
  });
}

template <typename T>
void check_epilogue(const simd::Kernels& kernels, double tolerance) {
  const auto dtype = c10::CppTypeToScalarType<T>::value;
  const at::Tensor sums = at::randn({5, 48}), bias = at::randn({37}).to(dtype);
  const at::Tensor residual = at::randn({5, 40}).to(dtype), scales = at::randn({5});
  const at::Tensor y = at::zeros_like(residual);
  kernels.matmul<T>().epilogue({sums.const_data_ptr<float>(), 48, 5, 37,
                                scales.const_data_ptr<float>(), bias.const_data_ptr<T>(),
                                residual.const_data_ptr<T>(), y.mutable_data_ptr<T>(), 40});
  const at::Tensor expected = sums.narrow(1, 0, 37) * scales.unsqueeze(1) + bias +
                              residual.narrow(1, 0, 37).to(at::kDouble);
  CHECK(relative_error(y.narrow(1, 0, 37), expected) <= tolerance);
  CHECK(y.narrow(1, 37, 3).eq(0).all().item<bool>());
}

TEST_CASE("the epilogue scales sums, adds bias and residual, and writes nothing else") {
  for (const auto& [name, kernels] : available_kernels()) {
    CAPTURE(name);
    check_epilogue<float>(kernels, kTolerance);
    if (kernels.bf16_dot.matmul.matmul != nullptr) {
      check_epilogue<at::BFloat16>(kernels, kBf16Tolerance);
    }
  }
}

}  // namespace
}  // namespace karlo::testing
