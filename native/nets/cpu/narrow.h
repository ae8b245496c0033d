#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

// What the kernels for narrow layers have in common.
namespace karlo::nets::cpu {

// Weights of the largest convolution that is narrow, in numbers (1 MB): they stay in a core's
// cache.
constexpr int64_t kNarrow = int64_t{1} << 18;

inline bool is_float_on_cpu(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat;
}

inline at::Tensor float_empty(at::IntArrayRef shape) {
  return at::empty(shape, at::TensorOptions().dtype(at::kFloat));
}

}  // namespace karlo::nets::cpu
