#include "ops/conv/cpu_direct.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

namespace karlo::ops::cpu {

bool can_use_direct_conv() { return simd::kernels().lanes > 1; }

// The layout, from the outside in: blocks of output channels, taps, input channels, the block's
// output channels.
void pack_taps(const std::vector<TapWeights>& taps, int64_t out, float* to,
               const simd::Kernels& kernels) {
  const int64_t lanes = kernels.lanes;
  int64_t left = simd::padded(out, kernels) / lanes, first = 0;
  for (int64_t blocks = simd::block_count(left); blocks > 0; --blocks) {
    const int64_t vectors = simd::next_block(left, blocks), width = vectors * lanes;
    const int64_t count = std::min(width, out - first);
    for (const TapWeights& tap : taps) {
      for (int64_t i = 0; i < tap.in; ++i, to += width) {
        const float* from = tap.data + first * tap.out_stride + i * tap.in_stride;
        for (int64_t o = 0; o < count; ++o) to[o] = from[o * tap.out_stride];
        std::fill(to + count, to + width, 0.0f);
      }
    }
    first += width;
    left -= vectors;
  }
}

DirectConv::DirectConv(const std::vector<at::Tensor>& taps, const at::Tensor& bias,
                       const simd::Kernels& kernels)
    : kernels_(kernels), out_(bias.size(0)) {
  std::vector<TapWeights> all;
  for (const at::Tensor& tap : taps) {
    all.push_back({tap.const_data_ptr<float>(), tap.size(1), tap.stride(0), tap.stride(1)});
    work_ += tap.size(1) * out_;
  }
  const int64_t columns = simd::padded(out_, kernels);
  weights_ = at::zeros({work_ / out_ * columns}, at::kFloat);
  bias_ = at::zeros({columns}, at::kFloat);
  bias_.narrow(0, 0, out_).copy_(bias);
  pack_taps(all, out_, weights_.mutable_data_ptr<float>(), kernels);
}

void DirectConv::operator()(const std::vector<simd::Tap>& taps, int64_t width, float* y,
                            int64_t y_stride, const float* residual) const {
  kernels_.conv_row({taps.data(), static_cast<int64_t>(taps.size()), width, y, y_stride, residual,
                     weights_.const_data_ptr<float>(), bias_.const_data_ptr<float>(), out_});
}

}  // namespace karlo::ops::cpu
