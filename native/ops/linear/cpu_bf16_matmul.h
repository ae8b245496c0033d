#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

// Matrix products of bfloat16 with the bf16_dot kernels: see simd/kernels.h. Packed weights are
// panels of up to kPanelVectors vectors of results, which are interleaved.
namespace karlo::ops::cpu {

constexpr int64_t kPanelVectors = 4;

// Numbers that weights [out, in] have when packed.
int64_t packed_size(int64_t out, int64_t in);
// The offset of vector v of `vectors`, and the stride from there to its next pair of inputs.
struct PackedVector {
  int64_t offset, stride;
};
PackedVector packed_vector(int64_t v, int64_t vectors, int64_t in);
// Packs weights [out, in], whose rows are `stride` apart.
void pack_bf16(const at::BFloat16* weights, int64_t stride, int64_t out, int64_t in,
               at::BFloat16* to);

// x [n, in] and weight [out, in]. Their rows may be strided.
struct MatmulOperands {
  at::Tensor x, weight;
};

// The sum of the products x weight^T, of bias [out] and of residual [n, out]: [n, out], accumulated
// in float32. A row's result does not depend on the other rows, nor on the number of threads.
at::Tensor bf16_matmul(const std::vector<MatmulOperands>& operands,
                       const std::optional<at::Tensor>& bias,
                       const std::optional<at::Tensor>& residual = std::nullopt);

}  // namespace karlo::ops::cpu
