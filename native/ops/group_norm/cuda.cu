// Group norm of channels-last images with its modulation and SiLU, like cpu_group_norm.cc: moments
// in float32 around an origin for each slice of pixels, combined in float64, and a second pass that
// applies one affine map per channel. ATen's group norm needs a copy of the images in NCHW order
// and another one back.
#include "cuda/device.cuh"
#include "ops/group_norm/cuda_arguments.cuh"

namespace karlo::cuda {

// The slice starts at its origin: differences from it are small where the mean is large.
template <int kCount>
__device__ inline void add_moments(const GroupNormArguments& in) {
  using Items = Pack<Number, kCount>;
  const int packs = in.channels / kCount, slices = parts_of(in.pixels, kSlicePixels);
  const int i = blockIdx.x * blockDim.x + threadIdx.x, image = blockIdx.y;
  if (i >= slices * packs) return;
  const int pack = i % packs, slice = i / packs, first = slice * kSlicePixels;
  const int count = in.pixels - first < kSlicePixels ? in.pixels - first : kSlicePixels;
  const Items* x =
      static_cast<const Items*>(in.x) + ((long long)image * in.pixels + first) * packs + pack;
  float origin[kCount], sum[kCount] = {}, square[kCount] = {};
  const Items start = x[0];
  for (int k = 0; k < kCount; ++k) origin[k] = to_float(start.items[k]);
#pragma unroll 4
  for (int p = 1; p < count; ++p) {
    const Items items = x[(long long)p * packs];
    for (int k = 0; k < kCount; ++k) {
      const float difference = to_float(items.items[k]) - origin[k];
      sum[k] += difference;
      square[k] += difference * difference;
    }
  }
  float* to = in.sums + ((long long)image * slices + slice) * 2 * in.channels + pack * kCount;
  for (int k = 0; k < kCount; ++k) {
    to[k] = sum[k];
    to[in.channels + k] = square[k];
  }
}

template <int kCount>
__device__ inline void apply_factors(const GroupNormArguments& in) {
  using Items = Pack<Number, kCount>;
  const int packs = in.channels / kCount;
  const int i = blockIdx.x * blockDim.x + threadIdx.x, image = blockIdx.y;
  if (i >= parts_of(in.pixels, kPixelsAtOnce) * packs) return;
  const int pack = i % packs, first = i / packs * kPixelsAtOnce;
  const int last = first + kPixelsAtOnce < in.pixels ? first + kPixelsAtOnce : in.pixels;
  const float* factors = in.factors + (long long)image * 3 * in.channels + pack * kCount;
  float center[kCount], scale[kCount], bias[kCount];
  for (int k = 0; k < kCount; ++k) {
    center[k] = factors[k];
    scale[k] = factors[in.channels + k];
    bias[k] = factors[2 * in.channels + k];
  }
  for (int p = first; p < last; ++p) {
    const long long at = ((long long)image * in.pixels + p) * packs + pack;
    Items items = static_cast<const Items*>(in.x)[at];
    for (int k = 0; k < kCount; ++k) {
      float value = (to_float(items.items[k]) - center[k]) * scale[k] + bias[k];
      if (in.silu) value = value / (1.0f + expf(-value));
      from_float(value, items.items[k]);
    }
    static_cast<Items*>(in.y)[at] = items;
  }
}

__device__ inline float value_at(const ChannelValues& values, int image, int channel) {
  if (values.data == nullptr) return 0.0f;
  return to_float(static_cast<const Number*>(values.data)[image * values.stride + channel]);
}

// The sum over all threads of a block of kFactorThreads, in thread 0.
__device__ inline double sum_of_block(double value, double* parts) {
  value = sum_of_warp(value);
  if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = value;
  __syncthreads();
  double sum = 0;
  for (int i = 0; i < kFactorThreads / kWarp; ++i) sum += parts[i];
  __syncthreads();
  return sum;
}

constexpr int kVector = kPackBytes / sizeof(Number);

KARLO_KERNEL group_norm_moments(GroupNormArguments in) { add_moments<1>(in); }
KARLO_KERNEL group_norm_moments_vector(GroupNormArguments in) { add_moments<kVector>(in); }

// A block for each group (x) and image (y).
KARLO_KERNEL group_norm_factors(GroupNormArguments in) {
  __shared__ double parts[kFactorThreads / kWarp];
  const int image = blockIdx.y, width = in.channels / in.groups, first = blockIdx.x * width;
  const int slices = parts_of(in.pixels, kSlicePixels);
  double sum = 0, square = 0;
  for (int i = threadIdx.x; i < slices * width; i += kFactorThreads) {
    const int slice = i / width, c = first + i % width, start = slice * kSlicePixels;
    const int count = in.pixels - start < kSlicePixels ? in.pixels - start : kSlicePixels;
    const long long pixel = (long long)image * in.pixels + start;
    const double origin =
        (double)to_float(static_cast<const Number*>(in.x)[pixel * in.channels + c]) +
        value_at(in.offset, image, c);
    const float* sums = in.sums + ((long long)image * slices + slice) * 2 * in.channels + c;
    const double difference = sums[0];
    sum += difference + count * origin;
    square += sums[in.channels] + origin * (2 * difference + count * origin);
  }
  sum = sum_of_block(sum, parts);
  square = sum_of_block(square, parts);
  const double count = (double)in.pixels * width, mean = sum / count;
  const double variance = square / count - mean * mean;
  const double deviation = sqrt((variance > 0 ? variance : 0.0) + in.eps);
  float* factors = in.factors + (long long)image * 3 * in.channels;
  for (int c = first + threadIdx.x; c < first + width; c += kFactorThreads) {
    const double weight = to_float(static_cast<const Number*>(in.weight)[c]);
    const double bias = to_float(static_cast<const Number*>(in.bias)[c]);
    const double factor = 1.0 + value_at(in.scale, image, c);
    const double center = mean - value_at(in.offset, image, c);
    const float rounded = (float)center, scale = (float)(weight / deviation * factor);
    factors[c] = rounded;
    factors[in.channels + c] = scale;
    // Includes what rounding the center leaves.
    factors[2 * in.channels + c] =
        (float)((rounded - center) * scale + bias * factor + value_at(in.shift, image, c));
  }
}

KARLO_KERNEL group_norm_apply(GroupNormArguments in) { apply_factors<1>(in); }
KARLO_KERNEL group_norm_apply_vector(GroupNormArguments in) { apply_factors<kVector>(in); }

}  // namespace karlo::cuda
