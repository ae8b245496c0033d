#include "ops/linear/cpu_linear.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/thread_pool.h"
#include "ops/linear/cpu_panel_matmul.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// With more rows, a matrix product that reorders the weights first is faster. In bfloat16 without
// bf16_dot that is so for fewer rows already, because LibTorch's product uses instructions that
// this one does not.
int64_t max_skinny_rows(at::ScalarType dtype) {
  return dtype == at::kFloat || simd::prefers_bf16_dot(dtype) ? 32 : 6;
}
// Outputs that a thread computes at a time.
constexpr int64_t kOutputs = 16;
// The fewest multiplications for which it pays to wake a sleeping thread.
constexpr int64_t kMinWorkToWake = int64_t{1} << 19;
// With fewer multiplications, LibTorch's product for more rows is as fast, and its threads are
// awake already: the operators before and after it use them.
constexpr int64_t kMinPanelWork = int64_t{1} << 28;

template <typename T>
at::Tensor skinny_matmul(const at::Tensor& given, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias) {
  const auto kernel = simd::kernels().rows<T>().skinny_matmul;
  const int64_t in = weight.size(1), out = weight.size(0), rows = given.numel() / in;
  const at::Tensor x = given.contiguous();
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = out;
  at::Tensor y = at::empty(shape, x.options(), at::MemoryFormat::Contiguous);
  const T* weights = weight.const_data_ptr<T>();
  const T* biases = bias ? bias->const_data_ptr<T>() : nullptr;
  T* to = y.mutable_data_ptr<T>();
  const int64_t chunks = (out + kOutputs - 1) / kOutputs;
  const int64_t grain = std::max<int64_t>(1, kMinWorkToWake / (kOutputs * in * rows));
  ThreadPool::of_this_thread().run(chunks, grain, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kOutputs;
    thread_local std::vector<float> scratch;  // kept: the system clears the pages of a new block
    if (!std::is_same_v<T, float> && !simd::has_bf16_dot()) scratch.resize(rows * in);
    kernel({x.const_data_ptr<T>(), rows, in, weights + first * in,
            std::min(end * kOutputs, out) - first, biases ? biases + first : nullptr, to + first,
            out, scratch.data()});
  });
  return y;
}

bool can_use_skinny_matmul(const at::Tensor& x, const at::Tensor& weight) {
  return x.numel() <= max_skinny_rows(weight.scalar_type()) * weight.size(1);
}

bool can_use_panel_matmul(const at::Tensor& x, const at::Tensor& weight) {
  const auto dtype = weight.scalar_type();
  const bool faster =
      simd::prefers_bf16_dot(dtype) || (dtype == at::kFloat && !simd::has_fast_matmul());
  return faster && x.numel() * weight.size(0) >= kMinPanelWork;
}

}  // namespace

bool can_use_linear(const at::Tensor& x, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias) {
  const auto dtype = weight.scalar_type();
  const bool supported = dtype == at::kFloat || dtype == at::kBFloat16;
  return supported && x.scalar_type() == dtype && x.is_cpu() && weight.is_cpu() &&
         weight.dim() == 2 && weight.is_contiguous() && x.dim() > 0 &&
         x.size(-1) == weight.size(1) && x.numel() > 0 &&
         (can_use_skinny_matmul(x, weight) || can_use_panel_matmul(x, weight)) &&
         (!bias || (bias->scalar_type() == dtype && bias->is_cpu() && bias->is_contiguous() &&
                    bias->numel() == weight.size(0)));
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  if (can_use_skinny_matmul(x, weight)) {
    return weight.scalar_type() == at::kFloat ? skinny_matmul<float>(x, weight, bias)
                                              : skinny_matmul<at::BFloat16>(x, weight, bias);
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return panel_matmul({{x.reshape({-1, weight.size(1)}).contiguous(), weight}}, bias).view(shape);
}

}  // namespace karlo::ops::cpu
