// What every kernel uses. NVRTC compiles kernels without CUDA's header files, so the 16-bit floats
// are converted here. The tests compile the same kernels for the CPU, with
// test/native/support/cuda_emulation.h in place of CUDA's built-in names.
#pragma once

#ifdef __CUDACC_RTC__
// The functions are found by their plain names in the compiled module.
#define KARLO_KERNEL extern "C" __global__ void
#endif

namespace karlo::cuda {

// The bits of a bfloat16 and of an IEEE half, as tensors contain them.
struct BFloat16 {
  unsigned short bits;
};
struct Half {
  unsigned short bits;
};

__device__ inline float to_float(float x) { return x; }

__device__ inline float to_float(BFloat16 x) { return __uint_as_float(unsigned(x.bits) << 16); }

// Rounds to the nearest, ties to even. NaN stays NaN.
__device__ inline void from_float(float x, BFloat16& result) {
  const unsigned bits = __float_as_uint(x);
  const unsigned rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  result.bits = (unsigned short)((x != x ? bits | 0x400000u : rounded) >> 16);
}

__device__ inline void from_float(float x, float& result) { result = x; }

#ifdef __CUDACC_RTC__
__device__ inline float to_float(Half x) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
  return result;
}

__device__ inline void from_float(float x, Half& result) {
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
}

// The dtype of the tensors, by a macro definition on NVRTC's command line.
using Number = KARLO_NUMBER;
#endif

// Consecutive elements, read and written at once.
template <typename T, int kCount>
struct alignas(kCount * sizeof(T)) Pack {
  T items[kCount];
};

constexpr int kWarp = 32;

__device__ inline int parts_of(int count, int size) { return (count + size - 1) / size; }

// The sum over the lanes of a warp, in every lane.
template <typename T>
__device__ inline T sum_of_warp(T value) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, distance);
  }
  return value;
}

__device__ inline float max_of_warp(float value) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, distance));
  }
  return value;
}

}  // namespace karlo::cuda
