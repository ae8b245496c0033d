#pragma once

#include <c10/core/ScalarType.h>

// What the processor is good at, as far as it decides between kernels.
namespace karlo::nets::cpu {

// Whether it has matrices in hardware, with which LibTorch's convolutions are many times faster in
// bfloat16.
bool has_matrices();

// Whether it has instructions for bfloat16.
bool has_bfloat16();

// Whether the kernels have them, too: not all compilers know them.
bool has_pairs();

// Whether they are the fastest at this dtype, which then is bfloat16: Intel's processors have
// matrices for it, or multiply it at half the rate of float32.
bool multiplies_by_pairs(at::ScalarType dtype);

// Whether LibTorch's float32 matrix products are at home on it: they are Intel's library, and on
// others half as fast as its convolutions, which are another one's.
bool has_fast_products();

}  // namespace karlo::nets::cpu
