#include "ops/conv/cpu_gathered.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>

#include "core/parallel.h"
#include "ops/images.h"
#include "ops/linear/cpu_panel_matmul.h"
#include "simd/cpu_features.h"

namespace karlo::ops::cpu {
namespace {

constexpr int64_t kTaps = 9;

// [B * H * W, C * 9]: for each pixel, channel by channel, the 3x3 pixels around it.
template <typename T>
at::Tensor gather(const Activations& input) {
  const ActivatedRows<T> rows(input);
  const int64_t height = rows.height(), width = rows.width(), channels = rows.channels();
  at::Tensor result = at::empty({rows.batch() * height * width, channels * kTaps},
                                input.sources[0].options(), at::MemoryFormat::Contiguous);
  T* to = result.mutable_data_ptr<T>();
  parallel(rows.batch() * height, width * channels * kTaps, [&](int64_t i) {
    thread_local std::vector<float> lines;  // kept: the system clears the pages of a new block
    lines.resize(3 * rows.line());
    for (int64_t k = 0; k < 3; ++k) {
      rows.write(i / height, i % height + k - 1, lines.data() + k * rows.line());
    }
    for (int64_t x = 0; x < width; ++x) {
      T* pixel = to + (i * width + x) * channels * kTaps;
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        const float* from = lines.data() + tap / 3 * rows.line() + (x + tap % 3) * channels;
        for (int64_t c = 0; c < channels; ++c) pixel[c * kTaps + tap] = static_cast<T>(from[c]);
      }
    }
  });
  return result;
}

// rows [n, in] times weight [out, in], plus bias and residual: [n, out].
at::Tensor matmul(const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias,
                  const std::optional<at::Tensor>& residual) {
  const auto dtype = rows.scalar_type();
  if (simd::prefers_bf16_dot(dtype) || (dtype == at::kFloat && !simd::has_fast_matmul())) {
    return panel_matmul({{rows, weight}}, bias, residual);
  }
  const at::Tensor y = at::addmm(bias, rows, weight.t());
  return residual ? y + *residual : y;
}

}  // namespace

at::Tensor gathered_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual) {
  const at::Tensor& x = input.sources[0];
  const at::Tensor pixels =
      x.scalar_type() == at::kFloat ? gather<float>(input) : gather<at::BFloat16>(input);
  const int64_t scale = input.resample == Resample::kDown ? 2 : 1;
  const std::optional<at::Tensor> residual_pixels =
      residual ? std::make_optional(pixels_of(*residual)) : std::nullopt;
  return images_of(matmul(pixels, weight.flatten(1), bias, residual_pixels), x.size(0),
                   x.size(2) / scale, x.size(3) / scale);
}

}  // namespace karlo::ops::cpu
