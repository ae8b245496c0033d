#include "nets/res_block.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <mutex>

#include "ops/group_norm/group_norm.h"
#include "ops/operator.h"
#include "ops/res_block/cpu_res_block.h"

namespace karlo::nets {
namespace {

// `weights`: weight and bias of norm1, conv1, norm2, conv2 and, where the channels change, of the
// shortcut. `resample`: a Resample.
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

// What the time embedding does to the second norm.
Modulation modulation(const at::Tensor& times, Slice slice, bool scale_shift) {
  const at::Tensor time = slice.of(times);
  if (!scale_shift) return {time, std::nullopt, std::nullopt};
  const auto parts = time.chunk(2, 1);
  return {std::nullopt, parts[0], parts[1]};
}

at::Tensor composed(const at::Tensor& given, const std::optional<at::Tensor>& skipped,
                    const at::Tensor& times, int64_t time_start, bool scale_shift, at::TensorList w,
                    int64_t groups, double eps, int64_t resample) {
  const at::Tensor x = skipped ? at::cat({given, *skipped}, 1) : given;
  const int64_t out = w[2].size(0);
  const Slice slice{time_start, scale_shift ? 2 * out : out};
  const auto how = static_cast<Resample>(resample);

  at::Tensor h = group_norm(x, groups, w[0], w[1], eps, {}, /*silu=*/true);
  h = at::conv2d(resampled(h, how), w[2], w[3], 1, 1);
  h = group_norm(h, groups, w[4], w[5], eps, modulation(times, slice, scale_shift), /*silu=*/true);
  h = at::conv2d(h, w[6], w[7], 1, 1);
  const at::Tensor past = resampled(x, how);
  return (w.size() > 8 ? at::conv2d(past, w[8], w[9]) : past) + h;
}

at::Tensor on_cpu(const at::Tensor& x, const std::optional<at::Tensor>& skipped,
                  const at::Tensor& times, int64_t time_start, bool scale_shift,
                  at::TensorList weights, int64_t groups, double eps, int64_t resample) {
  const cpu::ResBlockInput input{x,          skipped,     times,
                                 time_start, scale_shift, weights,
                                 groups,     eps,         static_cast<Resample>(resample)};
  cpu::check_sizes(input);
  if (cpu::is_narrow(input)) return cpu::narrow_res_block(input);
  if (cpu::is_wide(input)) return cpu::wide_res_block(input);
  return composed(x, skipped, times, time_start, scale_shift, weights, groups, eps, resample);
}

// Of the right shape, for a trace.
at::Tensor on_meta(const at::Tensor& x, const std::optional<at::Tensor>&, const at::Tensor&,
                   int64_t, bool, at::TensorList weights, int64_t, double, int64_t resample) {
  const auto how = static_cast<Resample>(resample);
  return x.new_empty(
      {x.size(0), weights[2].size(0), resampled(x.size(2), how), resampled(x.size(3), how)});
}

}  // namespace

at::Tensor Slice::of(const at::Tensor& all) const { return all.narrow(-1, start, length); }

Slice TimeProjections::add(const Scope& scope, int64_t in, int64_t out) {
  layers_.emplace_back(scope, in, out);
  width_ += out;
  return {width_ - out, out};
}

at::Tensor TimeProjections::operator()(const at::Tensor& embedding) const {
  return side_by_side(layers_, at::silu(embedding));
}

ResBlock::ResBlock(const Scope& scope, int64_t in, int64_t out, const ResBlockOptions& options,
                   TimeProjections& times, Resample resample)
    : norm1(scope["norm1"], in, options.groups, options.eps),
      conv1(scope["conv1"], in, out, 3),
      time(times.add(scope["time_emb_proj"], options.time_width,
                     options.scale_shift ? 2 * out : out)),
      norm2(scope["norm2"], out, options.groups, options.eps),
      conv2(scope["conv2"], out, out, 3),
      resample(resample),
      scale_shift(options.scale_shift) {
  if (in != out) shortcut.emplace(scope["conv_shortcut"], in, out, 1);
}

at::Tensor ResBlock::operator()(const at::Tensor& x, const at::Tensor& times,
                                const std::optional<at::Tensor>& skipped) const {
  register_res_block();
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("karlo::res_block", "")
                             .typed<decltype(composed)>();
  std::vector<at::Tensor> weights{norm1.weight, norm1.bias, conv1.weight, conv1.bias,
                                  norm2.weight, norm2.bias, conv2.weight, conv2.bias};
  if (shortcut) weights.insert(weights.end(), {shortcut->weight, shortcut->bias});
  return op.call(x, skipped, times, time.start, scale_shift, weights, norm1.groups, norm1.eps,
                 static_cast<int64_t>(resample));
}

void register_res_block() {
  register_group_norm();
  static std::once_flag once;
  std::call_once(once, [] {
    define_operator("res_block", kSchema,
                    {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                     torch::CppFunction(TORCH_FN(on_meta))});
  });
}

}  // namespace karlo::nets
