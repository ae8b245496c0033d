#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "ops/conv/cpu_direct.h"
#include "ops/conv/cpu_gathered.h"
#include "ops/conv/cpu_winograd.h"
#include "ops/images.h"
#include "ops/linear/cpu_panel_matmul.h"
#include "ops/res_block/cpu_res_block.h"
#include "simd/cpu_features.h"

namespace karlo::ops::cpu {
namespace {

// The factors of a norm over the concatenated channels of the sources.
Affine normalize(const std::vector<at::Tensor>& sources, const Norm& norm,
                 const Conditioning& conditioning) {
  const int64_t batch = sources[0].size(0), channels = norm.weight.size(0);
  ChannelMoments moments(batch, channels);
  int64_t first = 0;
  for (const at::Tensor& x : sources) {
    const int64_t pixels = x.size(2) * x.size(3);
    if (x.scalar_type() == at::kFloat) {
      moments.add(x.const_data_ptr<float>(), pixels, x.size(1), first);
    } else {
      moments.add(x.const_data_ptr<at::BFloat16>(), pixels, x.size(1), first);
    }
    first += x.size(1);
  }
  return moments.normalize(norm, conditioning);
}

// A 1x1 convolution of the concatenated channels of the sources.
at::Tensor shortcut(const std::vector<at::Tensor>& sources, const at::Tensor& weight,
                    const at::Tensor& bias) {
  const auto dtype = weight.scalar_type();
  // A sum of two results in bfloat16 would be rounded twice more.
  if (dtype == at::kBFloat16 && !simd::prefers_bf16_dot(dtype)) {
    return channels_last(at::conv2d(at::cat(sources, 1), weight, bias));
  }
  std::vector<MatmulOperands> operands;
  at::Tensor sum;
  int64_t first = 0;
  for (const at::Tensor& x : sources) {
    const at::Tensor part = weight.narrow(1, first, x.size(1));
    first += x.size(1);
    if (dtype == at::kBFloat16) {
      operands.push_back({pixels_of(x), part.flatten(1)});
    } else {
      const at::Tensor contiguous = part.contiguous();
      sum = sum.defined() ? sum.add_(at::conv2d(x, contiguous)) : at::conv2d(x, contiguous, bias);
    }
  }
  if (sum.defined()) return channels_last(sum);
  const at::Tensor& x = sources[0];
  return images_of(panel_matmul(operands, bias), x.size(0), x.size(2), x.size(3));
}

at::Tensor residual_of(const std::vector<at::Tensor>& sources, const ResBlockInput& in) {
  if (in.has_shortcut()) return shortcut(sources, in.weights[8], in.weights[9]);
  if (in.resample == Resample::kDown) {
    return channels_last(at::avg_pool2d(sources[0], {2, 2}, {2, 2}));
  }
  if (in.resample == Resample::kUp) {
    const std::vector<double> scales{2.0, 2.0};
    return channels_last(at::upsample_nearest2d(sources[0], at::OptionalIntArrayRef(), scales));
  }
  return sources[0];
}

at::Tensor convolve(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& residual) {
  return can_use_winograd(input) ? winograd_conv(input, weight, bias, residual)
                                 : gathered_conv(input, weight, bias, residual);
}

}  // namespace

bool can_use_wide_res_block(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  const auto dtype = in.x.scalar_type();
  const auto has_dtype = [&](const at::Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == dtype;
  };
  const bool supported = dtype == at::kFloat || (dtype == at::kBFloat16 && !simd::has_amx());
  return can_use_direct_conv() && supported && in.x.numel() > 0 && has_dtype(in.x) &&
         has_dtype(in.times) && (!in.skip || has_dtype(*in.skip)) &&
         std::all_of(w.begin(), w.end(), has_dtype) &&
         (in.has_shortcut() ? in.resample == Resample::kNone : !in.skip);
}

at::Tensor wide_res_block(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  const int64_t batch = in.x.size(0), channels = w[2].size(1), out = w[2].size(0);
  std::vector<at::Tensor> sources{channels_last(in.x)};
  if (in.skip) sources.push_back(channels_last(*in.skip));
  const Affine affine1 =
      normalize(sources, {w[0], w[1], in.groups, in.eps}, Conditioning(batch, channels));
  const std::vector<at::Tensor> hidden{
      convolve({sources, affine1, in.resample}, w[2], w[3], std::nullopt)};
  const Affine affine2 =
      normalize(hidden, {w[4], w[5], in.groups, in.eps}, conditioning_of(in, batch, out));
  return convolve({hidden, affine2, Resample::kNone}, w[6], w[7], residual_of(sources, in));
}

}  // namespace karlo::ops::cpu
