#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <vector>

#include "support/kernels.h"
#include "support/tensors.h"

namespace karlo::testing {
namespace {

constexpr int64_t kRows = 13;

// x [kRows, in] times weight [out, in], in the dtype T.
template <typename T>
class SkinnyMatmul {
 public:
  SkinnyMatmul(const simd::Kernels& kernels, int64_t in, int64_t out)
      : x(random({kRows, in})),
        weight(random({out, in})),
        bias(random({out})),
        kernels_(kernels),
        scratch_(kRows * in) {}

  at::Tensor operator()(int64_t first, int64_t rows, bool with_bias) {
    const int64_t in = weight.size(1), out = weight.size(0);
    const at::Tensor y = at::empty({rows, out}, x.options());
    kernels_.rows<T>().skinny_matmul({x.const_data_ptr<T>() + first * in, rows, in,
                                      weight.const_data_ptr<T>(), out,
                                      with_bias ? bias.const_data_ptr<T>() : nullptr,
                                      y.mutable_data_ptr<T>(), out, scratch_.data()});
    return y;
  }

  const at::Tensor x, weight, bias;

 private:
  static at::Tensor random(at::IntArrayRef shape) {
    return at::randn(shape).to(c10::CppTypeToScalarType<T>::value);
  }

  const simd::Kernels& kernels_;
  std::vector<float> scratch_;
};

template <typename T>
void check_values(const simd::Kernels& kernels, int64_t in, int64_t out, double tolerance) {
  SkinnyMatmul<T> matmul(kernels, in, out);
  const at::Tensor expected = matmul.x.to(at::kDouble).matmul(matmul.weight.to(at::kDouble).t());
  CHECK(relative_error(matmul(0, kRows, true), expected + matmul.bias) <= tolerance);
  CHECK(relative_error(matmul(0, kRows, false), expected) <= tolerance);
}

template <typename T>
void check_independence(const simd::Kernels& kernels, int64_t in, int64_t out) {
  SkinnyMatmul<T> matmul(kernels, in, out);
  const at::Tensor all = matmul(0, kRows, true);
  for (const int64_t rows : {1, 2, 3, 4, 5, 6, 7, 12}) {
    CAPTURE(rows);
    CHECK(matmul(1, rows, true).equal(all.narrow(0, 1, rows)));
  }
}

template <typename F>
void for_all_shapes(const F& f) {
  for (const auto& [name, kernels] : available_kernels()) {
    for (const int64_t in : {1, 31, 33, 96, 515}) {
      for (const int64_t out : {1, 3, 6, 21}) {
        CAPTURE(name, in, out);
        f(kernels, in, out);
      }
    }
  }
}

TEST_CASE("products with few rows agree with double precision") {
  for_all_shapes([](const simd::Kernels& kernels, int64_t in, int64_t out) {
    check_values<float>(kernels, in, out, kTolerance);
    check_values<at::BFloat16>(kernels, in, out, kBf16Tolerance);
  });
}

TEST_CASE("in products with few rows, a row does not depend on the others") {
  for_all_shapes([](const simd::Kernels& kernels, int64_t in, int64_t out) {
    check_independence<float>(kernels, in, out);
    check_independence<at::BFloat16>(kernels, in, out);
  });
}

}  // namespace
}  // namespace karlo::testing
