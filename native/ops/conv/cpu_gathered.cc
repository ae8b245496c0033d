#include "ops/conv/cpu_gathered.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>

#include "core/parallel.h"
#include "ops/images.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "simd/cpu_features.h"

namespace karlo::nets::cpu {
namespace {

constexpr int64_t kTaps = 9;

// [B * H * W, C * 9]: of each pixel, channel by channel, the 3x3 pixels around it.
template <typename T>
at::Tensor gathered(const Activations& input) {
  const ActivatedRows<T> rows(input);
  const int64_t height = rows.height(), width = rows.width(), channels = rows.channels();
  at::Tensor result = at::empty({rows.batch() * height * width, channels * kTaps},
                                input.sources[0].options(), at::MemoryFormat::Contiguous);
  T* to = result.mutable_data_ptr<T>();
  parallel(rows.batch() * height, width * channels * kTaps, [&](int64_t i) {
    thread_local std::vector<float> seen;  // kept: so large a piece would come from the system anew
    seen.resize(3 * rows.line());
    for (int64_t k = 0; k < 3; ++k) {
      rows.write(i / height, i % height + k - 1, seen.data() + k * rows.line());
    }
    for (int64_t x = 0; x < width; ++x) {
      T* pixel = to + (i * width + x) * channels * kTaps;
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        const float* from = seen.data() + tap / 3 * rows.line() + (x + tap % 3) * channels;
        for (int64_t c = 0; c < channels; ++c) pixel[c * kTaps + tap] = static_cast<T>(from[c]);
      }
    }
  });
  return result;
}

// rows [n, in] times weight [out, in], bias and residual: [n, out].
at::Tensor product(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias,
                   const std::optional<at::Tensor>& residual) {
  const auto dtype = rows.scalar_type();
  if (multiplies_by_pairs(dtype)) return pair_product({{rows, weight}}, bias, residual);
  const at::Tensor y = dtype == at::kFloat && !has_fast_products()
                           ? product_by_convolution(rows, weight, bias)
                           : at::addmm(bias, rows, weight.t());
  return residual ? y + *residual : y;
}

}  // namespace

at::Tensor product_by_convolution(const at::Tensor& rows, const at::Tensor& weight,
                                  const std::optional<at::Tensor>& bias) {
  const at::Tensor pixels = rows.view({1, 1, rows.size(0), rows.size(1)}).permute({0, 3, 1, 2});
  const at::Tensor y = at::conv2d(pixels, weight.unsqueeze(-1).unsqueeze(-1), bias);
  return pixels_of(y.contiguous(at::MemoryFormat::ChannelsLast));
}

at::Tensor gathered_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual) {
  const at::Tensor& x = input.sources[0];
  const at::Tensor pixels =
      x.scalar_type() == at::kFloat ? gathered<float>(input) : gathered<at::BFloat16>(input);
  const int64_t scale = input.resample == Resample::kDown ? 2 : 1;
  const std::optional<at::Tensor> more =
      residual ? std::make_optional(pixels_of(*residual)) : std::nullopt;
  return pictures_of(product(pixels, weight.flatten(1), bias, more), x.size(0), x.size(2) / scale,
                     x.size(3) / scale);
}

}  // namespace karlo::nets::cpu
