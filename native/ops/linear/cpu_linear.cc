#include "ops/linear/cpu_linear.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/thread_pool.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

// Beyond it a matrix product that reorders the weights first is faster; in bfloat16 sooner, where
// LibTorch's uses instructions that this one does not.
int64_t most_few(at::ScalarType dtype) {
  return dtype == at::kFloat || multiplies_by_pairs(dtype) ? 32 : 6;
}
// Outputs that a thread computes at a time.
constexpr int64_t kOutputs = 16;
// Multiplications below which a thread that may be asleep is not worth its waking.
constexpr int64_t kWorthwhileAsleep = int64_t{1} << 19;
// Multiplications below which LibTorch's product by more rows is as fast, and its threads, which
// its operators before and after it use, are the ones that are awake.
constexpr int64_t kWorthwhilePairs = int64_t{1} << 28;

template <typename T>
at::Tensor product(const at::Tensor& given, const at::Tensor& weight,
                   const std::optional<at::Tensor>& bias) {
  const auto dot = kernels().rows<T>().dot;
  const int64_t in = weight.size(1), out = weight.size(0), rows = given.numel() / in;
  const at::Tensor x = given.contiguous();
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = out;
  at::Tensor y = at::empty(shape, x.options(), at::MemoryFormat::Contiguous);
  const T* weights = weight.const_data_ptr<T>();
  const T* biases = bias ? bias->const_data_ptr<T>() : nullptr;
  T* to = y.mutable_data_ptr<T>();
  const int64_t chunks = (out + kOutputs - 1) / kOutputs;
  const int64_t grain = std::max<int64_t>(1, kWorthwhileAsleep / (kOutputs * in * rows));
  Team::of_this_thread().run(chunks, grain, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kOutputs;
    thread_local std::vector<float>
        scratch;  // kept: so large a piece would come from the system anew
    if (!std::is_same_v<T, float> && !has_pairs()) scratch.resize(rows * in);
    dot({x.const_data_ptr<T>(), rows, in, weights + first * in,
         std::min(end * kOutputs, out) - first, biases ? biases + first : nullptr, to + first, out,
         scratch.data()});
  });
  return y;
}

bool is_few(const at::Tensor& x, const at::Tensor& weight) {
  return x.numel() <= most_few(weight.scalar_type()) * weight.size(1);
}

bool suits_pairs(const at::Tensor& x, const at::Tensor& weight) {
  return multiplies_by_pairs(weight.scalar_type()) &&
         x.numel() * weight.size(0) >= kWorthwhilePairs;
}

}  // namespace

bool suits_linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  const auto dtype = weight.scalar_type();
  const bool known = dtype == at::kFloat || dtype == at::kBFloat16;
  return known && x.scalar_type() == dtype && x.is_cpu() && weight.is_cpu() && weight.dim() == 2 &&
         weight.is_contiguous() && x.dim() > 0 && x.size(-1) == weight.size(1) && x.numel() > 0 &&
         (is_few(x, weight) || suits_pairs(x, weight)) &&
         (!bias || (bias->scalar_type() == dtype && bias->is_cpu() && bias->is_contiguous() &&
                    bias->numel() == weight.size(0)));
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  if (is_few(x, weight)) {
    return weight.scalar_type() == at::kFloat ? product<float>(x, weight, bias)
                                              : product<at::BFloat16>(x, weight, bias);
  }
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return pair_product({{x.reshape({-1, weight.size(1)}).contiguous(), weight}}, bias).view(shape);
}

}  // namespace karlo::nets::cpu
