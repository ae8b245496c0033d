#include "ops/res_block/res_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <vector>

#include "ops/group_norm/group_norm.h"
#include "ops/operator.h"
#include "ops/res_block/cpu_res_block.h"

namespace karlo::ops {
namespace {

// `skipped` is part of saved graphs. `resample` is a Resample.
constexpr char kSchema[] =
    "res_block(Tensor x, Tensor? skipped, Tensor times, int time_start, bool scale_shift, "
    "Tensor[] weights, int groups, float eps, int resample) -> Tensor";

at::Tensor resampled(const at::Tensor& x, Resample resample) {
  if (resample == Resample::kDown) return at::avg_pool2d(x, {2, 2}, {2, 2});
  if (resample == Resample::kUp) {
    return at::upsample_nearest2d(x, /*output_size=*/at::OptionalIntArrayRef(),
                                  std::vector<double>{2.0, 2.0});
  }
  return x;
}

// The modulation of the second norm.
Modulation modulation(const at::Tensor& times, int64_t start, int64_t channels, bool scale_shift) {
  const at::Tensor time = times.narrow(-1, start, scale_shift ? 2 * channels : channels);
  if (!scale_shift) return {time, std::nullopt, std::nullopt};
  const auto parts = time.chunk(2, 1);
  return {std::nullopt, parts[0], parts[1]};
}

at::Tensor composed(const at::Tensor& given, const std::optional<at::Tensor>& skip,
                    const at::Tensor& times, int64_t time_start, bool scale_shift, at::TensorList w,
                    int64_t groups, double eps, int64_t resample) {
  const at::Tensor x = skip ? at::cat({given, *skip}, 1) : given;
  const auto how = static_cast<Resample>(resample);

  at::Tensor h = group_norm(x, groups, w[0], w[1], eps, {}, /*silu=*/true);
  h = at::conv2d(resampled(h, how), w[2], w[3], 1, 1);
  h = group_norm(h, groups, w[4], w[5], eps,
                 modulation(times, time_start, w[2].size(0), scale_shift), /*silu=*/true);
  h = at::conv2d(h, w[6], w[7], 1, 1);
  const at::Tensor residual = resampled(x, how);
  return (w.size() > 8 ? at::conv2d(residual, w[8], w[9]) : residual) + h;
}

at::Tensor on_cpu(const at::Tensor& x, const std::optional<at::Tensor>& skip,
                  const at::Tensor& times, int64_t time_start, bool scale_shift,
                  at::TensorList weights, int64_t groups, double eps, int64_t resample) {
  const cpu::ResBlockInput input{x,          skip,        times,
                                 time_start, scale_shift, weights,
                                 groups,     eps,         static_cast<Resample>(resample)};
  cpu::check_sizes(input);
  if (!kernels_allowed()) {
    return composed(x, skip, times, time_start, scale_shift, weights, groups, eps, resample);
  }
  if (cpu::can_use_narrow_res_block(input)) return cpu::narrow_res_block(input);
  if (cpu::can_use_wide_res_block(input)) return cpu::wide_res_block(input);
  return composed(x, skip, times, time_start, scale_shift, weights, groups, eps, resample);
}

at::Tensor on_meta(const at::Tensor& x, const std::optional<at::Tensor>&, const at::Tensor&,
                   int64_t, bool, at::TensorList weights, int64_t, double, int64_t resample) {
  const auto how = static_cast<Resample>(resample);
  return x.new_empty(
      {x.size(0), weights[2].size(0), resampled(x.size(2), how), resampled(x.size(3), how)});
}

const auto& op() {
  static const auto op =
      define_operator("res_block", kSchema,
                      {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                       torch::CppFunction(TORCH_FN(on_meta))})
          .typed<decltype(composed)>();
  return op;
}

}  // namespace

at::Tensor res_block(const at::Tensor& x, const std::optional<at::Tensor>& skip,
                     const at::Tensor& times, int64_t time_start, bool scale_shift,
                     at::TensorList weights, int64_t groups, double eps, Resample resample) {
  return op().call(x, skip, times, time_start, scale_shift, weights, groups, eps,
                   static_cast<int64_t>(resample));
}

void register_res_block() { op(); }

}  // namespace karlo::ops
