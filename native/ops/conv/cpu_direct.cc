#include "ops/conv/cpu_direct.h"

#include <ATen/ops/zeros.h>

#include <algorithm>

namespace karlo::nets::cpu {
bool has_direct_conv() { return kernels().lanes > 1; }

int64_t padded(int64_t count, const Kernels& kernels) {
  return (count + kernels.lanes - 1) / kernels.lanes * kernels.lanes;
}

// Of each block of output channels: tap after tap, channel after channel of its input, the block's
// channels side by side.
void pack(const std::vector<Matrix>& taps, int64_t out, float* to, const Kernels& kernels) {
  const int64_t lanes = kernels.lanes;
  int64_t left = padded(out, kernels) / lanes, first = 0;
  for (int64_t blocks = block_count(left); blocks > 0; --blocks) {
    const int64_t vectors = next_block(left, blocks), width = vectors * lanes;
    const int64_t count = std::min(width, out - first);
    for (const Matrix& tap : taps) {
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

PackedConv::PackedConv(const std::vector<at::Tensor>& taps, const at::Tensor& bias,
                       const Kernels& kernels)
    : kernels_(kernels), out_(bias.size(0)) {
  std::vector<Matrix> matrices;
  for (const at::Tensor& tap : taps) {
    matrices.push_back({tap.const_data_ptr<float>(), tap.size(1), tap.stride(0), tap.stride(1)});
    work_ += tap.size(1) * out_;
  }
  weights_ = at::zeros({work_ / out_ * padded(out_, kernels)}, at::kFloat);
  bias_ = at::zeros({padded(out_, kernels)}, at::kFloat);
  bias_.narrow(0, 0, out_).copy_(bias);
  pack(matrices, out_, weights_.mutable_data_ptr<float>(), kernels);
}

void PackedConv::operator()(const std::vector<Tap>& taps, int64_t width, float* y, int64_t step,
                            const float* residual) const {
  kernels_.conv_row({taps.data(), static_cast<int64_t>(taps.size()), width, y, step, residual,
                     weights_.const_data_ptr<float>(), bias_.const_data_ptr<float>(), out_});
}

}  // namespace karlo::nets::cpu
