#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "simd/kernels.h"

// Direct convolution of channels-last float32 pictures: for narrow layers, where LibTorch's
// convolutions spend more time on getting ready than on computing. A matrix product is one, too: a
// convolution with a single tap.
namespace karlo::nets::cpu {

// Whether it is worth while on this processor: whether this has vectors that are used here.
bool has_direct_conv();

// A tap's weights, [out, in]: element (o, i) is at data[o * out_stride + i * in_stride].
struct Matrix {
  const float* data;
  int64_t in, out_stride, in_stride;
};

// `count` channels, filled up to whole vectors.
int64_t padded(int64_t count, const Kernels& kernels = cpu::kernels());
// Writes the taps in the order in which the vectors want them: padded(out) numbers for each input
// channel of each tap.
void pack(const std::vector<Matrix>& taps, int64_t out, float* to,
          const Kernels& kernels = cpu::kernels());

// The weights of a convolution, packed.
class PackedConv {
 public:
  // `taps`: [out, in] of each tap, in the order of ConvRow::taps. `bias`: [out].
  PackedConv(const std::vector<at::Tensor>& taps, const at::Tensor& bias,
             const Kernels& kernels = cpu::kernels());

  int64_t out() const { return out_; }
  // Multiplications of one pixel.
  int64_t work() const { return work_; }

  // Computes `width` pixels to y, `step` floats from one to the next; adds `residual`, [width,
  // out].
  void operator()(const std::vector<Tap>& taps, int64_t width, float* y, int64_t step,
                  const float* residual = nullptr) const;

 private:
  const Kernels& kernels_;
  at::Tensor weights_, bias_;
  int64_t out_, work_ = 0;
};

}  // namespace karlo::nets::cpu
