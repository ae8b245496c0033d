#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "simd/kernels.h"

// Matrix products with packed weights, in float32, and in bfloat16 if there are bf16_dot kernels:
// see simd/kernels.h. The vectors of a panel are interleaved.
namespace karlo::ops::cpu {

// Weights [out, in] of a matrix product, packed.
template <typename T>
struct PackedLayout {
  int64_t out, in;

  int64_t vectors() const;
  // Inputs, padded to whole groups.
  int64_t padded_in() const;
  // Numbers of all panels.
  int64_t size() const;
  // The offset of vector `v`, and the stride from there to its next group of inputs.
  int64_t offset(int64_t v) const;
  int64_t stride(int64_t v) const;
  // Multiplies rows of x with the weights of `channels` results from `channel` on (a panel's first)
  // and of the inputs that x has, from `input` on. `sums`: [rows, padded channels], `sums_stride`
  // apart.
  void multiply(const simd::Matmul<T>& rows, const T* packed, int64_t channel, int64_t channels,
                int64_t input) const;
};

// Results that are computed while the rows are in a core's cache.
constexpr int64_t kChannels = 64;

// Packs weights [out, in], whose rows are `stride` apart.
template <typename T>
void pack_weights(const T* weights, int64_t stride, const PackedLayout<T>& layout, T* to);

// x [n, in] and weight [out, in]. Their rows may be strided.
struct MatmulOperands {
  at::Tensor x, weight;
};

// The sum of the products x weight^T, of bias [out] and of residual [n, out]: [n, out], accumulated
// in float32. A row's result does not depend on the other rows, nor on the number of threads.
at::Tensor panel_matmul(const std::vector<MatmulOperands>& operands,
                        const std::optional<at::Tensor>& bias,
                        const std::optional<at::Tensor>& residual = std::nullopt);

}  // namespace karlo::ops::cpu
