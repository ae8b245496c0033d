#pragma once

#include <c10/core/ScalarType.h>

// Properties of the processor that decide between kernels.
namespace karlo::simd {

// Whether the processor has AMX (matrix instructions) for bfloat16, which LibTorch's convolutions
// use: they are many times faster with it.
bool has_amx();

bool has_avx512_bf16();

// Whether an Arm processor has the bfloat16 instructions of Armv8.6 (BFDOT, BFMMLA).
bool has_arm_bf16();

// Whether there are bf16_dot kernels for this processor.
bool has_bf16_dot();

// Whether the bf16_dot kernels are the fastest for this dtype. They are for bfloat16 on AMD:
// Intel's processors have AMX, or run the instruction at half the rate of float32's. On Arm, where
// this was not measured, they are used wherever they exist.
bool prefers_bf16_dot(at::ScalarType dtype);

// Whether LibTorch's float32 matrix products are fast. On x86 they are MKL's, which reach half the
// speed of oneDNN's convolutions on processors other than Intel's.
bool has_fast_matmul();

}  // namespace karlo::simd
