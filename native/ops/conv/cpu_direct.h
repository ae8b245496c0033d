#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "simd/kernels.h"

// Direct convolution of channels-last float32 images. It is for narrow layers, for which LibTorch's
// convolutions spend more time on preparation than on arithmetic. A matrix product is a convolution
// with a single tap.
namespace karlo::ops::cpu {

// Whether direct convolutions are fast on this processor: whether there are vector kernels for it.
bool can_use_direct_conv();

// A tap's weights, [out, in]: element (o, i) is data[o * out_stride + i * in_stride].
struct TapWeights {
  const float* data;
  int64_t in, out_stride, in_stride;
};

// Packs the taps in the order in which the kernels read them: padded(out) numbers for each input
// channel of each tap.
void pack_taps(const std::vector<TapWeights>& taps, int64_t out, float* to,
               const simd::Kernels& kernels = simd::kernels());

// A convolution with packed weights.
class DirectConv {
 public:
  // `taps`: [out, in] for each tap, in the order of ConvRow::taps. `bias`: [out].
  DirectConv(const std::vector<at::Tensor>& taps, const at::Tensor& bias,
             const simd::Kernels& kernels = simd::kernels());

  int64_t out() const { return out_; }
  // Multiplications per pixel.
  int64_t work() const { return work_; }

  // Computes `width` pixels of y, which are `y_stride` floats apart. Adds `residual`, [width, out].
  void operator()(const std::vector<simd::Tap>& taps, int64_t width, float* y, int64_t y_stride,
                  const float* residual = nullptr) const;

 private:
  const simd::Kernels& kernels_;
  at::Tensor weights_, bias_;
  int64_t out_, work_ = 0;
};

}  // namespace karlo::ops::cpu
