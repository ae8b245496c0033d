#include "nets/res_block.h"

#include <ATen/ops/silu.h>

#include "ops/res_block/res_block.h"

namespace karlo::nets {

Slice TimeProjections::add(const Scope& scope, int64_t in, int64_t out) {
  layers_.emplace_back(scope, in, out);
  width_ += out;
  return {width_ - out, out};
}

at::Tensor TimeProjections::operator()(const at::Tensor& embedding) const {
  return concat_outputs(layers_, at::silu(embedding));
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
                                const std::optional<at::Tensor>& skip) const {
  std::vector<at::Tensor> weights{norm1.weight, norm1.bias, conv1.weight, conv1.bias,
                                  norm2.weight, norm2.bias, conv2.weight, conv2.bias};
  if (shortcut) weights.insert(weights.end(), {shortcut->weight, shortcut->bias});
  return ops::res_block(x, skip, times, time.start, scale_shift, weights, norm1.groups, norm1.eps,
                        resample);
}

}  // namespace karlo::nets
