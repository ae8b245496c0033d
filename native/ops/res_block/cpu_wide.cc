#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "ops/conv/cpu_direct.h"
#include "ops/conv/cpu_gathered.h"
#include "ops/conv/cpu_winograd.h"
#include "ops/images.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "ops/res_block/cpu_res_block.h"
#include "simd/cpu_features.h"

namespace karlo::nets::cpu {
namespace {

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

// The factors of a norm of all channels of these.
Affine normalized(const std::vector<at::Tensor>& sources, const Norm& norm,
                  const Modulations& modulations) {
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
  return moments.normalize(norm, modulations);
}

// A 1x1 convolution of all sources' channels.
at::Tensor shortcut(const std::vector<at::Tensor>& sources, const at::Tensor& weight,
                    const at::Tensor& bias) {
  const bool by_pairs = multiplies_by_pairs(weight.scalar_type());
  std::vector<PairFactors> factors;
  at::Tensor sum;
  int64_t first = 0;
  for (const at::Tensor& x : sources) {
    const at::Tensor part = weight.narrow(1, first, x.size(1));
    first += x.size(1);
    if (by_pairs) {
      factors.push_back({pixels_of(x), part.flatten(1)});
    } else {
      const at::Tensor own = part.contiguous();
      sum = sum.defined() ? sum.add_(at::conv2d(x, own)) : at::conv2d(x, own, bias);
    }
  }
  if (!by_pairs) return channels_last(sum);
  const at::Tensor& x = sources[0];
  return pictures_of(pair_product(factors, bias), x.size(0), x.size(2), x.size(3));
}

// What the block adds its result to.
at::Tensor residual_of(const std::vector<at::Tensor>& sources, at::TensorList w,
                       Resample resample) {
  if (w.size() > 8) return shortcut(sources, w[8], w[9]);
  if (resample == Resample::kDown) return channels_last(at::avg_pool2d(sources[0], {2, 2}, {2, 2}));
  if (resample == Resample::kUp) {
    const std::vector<double> twice{2.0, 2.0};
    return channels_last(at::upsample_nearest2d(sources[0], at::OptionalIntArrayRef(), twice));
  }
  return sources[0];
}

at::Tensor convolve(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& residual) {
  return suits_winograd(input) ? winograd(input, weight, bias, residual)
                               : gathered_conv(input, weight, bias, residual);
}

}  // namespace

bool is_wide(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  const auto dtype = in.x.scalar_type();
  const auto is_such = [&](const at::Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == dtype;
  };
  const bool known = dtype == at::kFloat || (dtype == at::kBFloat16 && !has_matrices());
  const bool shortcut = w.size() > 8;
  return has_direct_conv() && known && in.x.numel() > 0 && is_such(in.x) && is_such(in.times) &&
         (!in.skipped || is_such(*in.skipped)) && std::all_of(w.begin(), w.end(), is_such) &&
         (shortcut ? in.resample == Resample::kNone : !in.skipped);
}

at::Tensor wide_res_block(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  const int64_t batch = in.x.size(0), channels = w[2].size(1), out = w[2].size(0);
  std::vector<at::Tensor> sources{channels_last(in.x)};
  if (in.skipped) sources.push_back(channels_last(*in.skipped));
  const Affine first =
      normalized(sources, {w[0], w[1], in.groups, in.eps}, Modulations(batch, channels));
  const std::vector<at::Tensor> hidden{
      convolve({sources, first, in.resample}, w[2], w[3], std::nullopt)};
  const Affine second =
      normalized(hidden, {w[4], w[5], in.groups, in.eps}, modulations_of(in, batch, out));
  return convolve({hidden, second, Resample::kNone}, w[6], w[7],
                  residual_of(sources, w, in.resample));
}

}  // namespace karlo::nets::cpu
