#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

// Products of bfloat16 by pairs of neighbours: see PairProduct in kernels.h.
namespace karlo::nets::cpu {

// Numbers of `out` packed results of `in` inputs each.
int64_t packed_size(int64_t out, int64_t in);
// Vectors of results that are packed side by side at most.
constexpr int64_t kPanel = 4;
// Where vector v of `vectors` lies among them, panel by panel, and the step from there to its next.
struct PackedPlace {
  int64_t at, step;
};
PackedPlace packed_place(int64_t v, int64_t vectors, int64_t in);
// Packs weights [out, in], whose rows lie `stride` apart.
void pack(const at::BFloat16* weights, int64_t stride, int64_t out, int64_t in, at::BFloat16* to);

// x [n, in], whose rows may lie apart, and weight [out, in].
struct PairFactors {
  at::Tensor x, weight;
};

// The sum of the products x weight^T, and of bias [out] and residual [n, out]: [n, out], summed in
// float32. A row's result hangs on no other row, and not on the threads.
at::Tensor pair_product(const std::vector<PairFactors>& factors,
                        const std::optional<at::Tensor>& bias,
                        const std::optional<at::Tensor>& residual = std::nullopt);

}  // namespace karlo::nets::cpu
