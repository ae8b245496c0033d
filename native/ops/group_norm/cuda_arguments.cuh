#pragma once

namespace karlo::cuda {

// Conditioning of a group norm: channels of one image after the other, or absent.
struct ChannelValues {
  const void* data;  // null if absent
  long long stride;  // from one image to the next, in elements; 0 if all have the same
};

// The argument of the kernels in cuda.cu, which run in the order moments, factors, apply.
struct GroupNormArguments {
  const void* x;  // [B, pixels, channels]
  void* y;
  const void* weight;  // [channels]
  const void* bias;
  ChannelValues offset, scale, shift;
  float* sums;     // [B, slices, 2, channels]: of x - origin, and of its square
  float* factors;  // [B, 3, channels]: center, scale, bias
  double eps;
  int pixels, channels, groups;
  bool silu;
};

constexpr int kSlicePixels = 32;     // pixels per thread of the moments
constexpr int kPixelsAtOnce = 8;     // pixels per thread of apply
constexpr int kPackBytes = 16;       // the vector kernels read this many bytes at once
constexpr int kFactorThreads = 128;  // threads per block of the factors

}  // namespace karlo::cuda
