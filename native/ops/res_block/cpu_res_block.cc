#include "ops/res_block/cpu_res_block.h"

#include <vector>

namespace karlo::ops::cpu {

void check_sizes(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  const int64_t smallest = in.resample == Resample::kDown ? 2 : 1;
  TORCH_CHECK(in.x.dim() == 4 && in.x.size(2) >= smallest && in.x.size(3) >= smallest,
              "res_block: expected [B, C, H, W] but received ", in.x.sizes());
  int64_t channels = in.x.size(1);
  if (in.skip) {
    const at::Tensor& skip = *in.skip;
    TORCH_CHECK(skip.dim() == 4 && skip.size(0) == in.x.size(0) &&
                    skip.sizes().slice(2) == in.x.sizes().slice(2),
                "res_block: expected images as large as ", in.x.sizes(), " but received ",
                skip.sizes());
    channels += skip.size(1);
  }
  TORCH_CHECK(w.size() == 8 || w.size() == 10, "res_block: expected 8 or 10 weights");
  TORCH_CHECK(w[2].dim() == 4, "res_block: expected 3x3 weights but received ", w[2].sizes());
  const int64_t out = w[2].size(0);
  TORCH_CHECK(in.groups > 0 && channels % in.groups == 0 && out % in.groups == 0,
              "res_block: expected channels that are a multiple of ", in.groups);
  TORCH_CHECK(in.has_shortcut() || channels == out, "res_block: expected a shortcut, or ", out,
              " input channels");
  const std::vector<std::vector<int64_t>> shapes{
      {channels},       {channels}, {out, channels, 3, 3}, {out}, {out}, {out},
      {out, out, 3, 3}, {out},      {out, channels, 1, 1}, {out}};
  for (size_t i = 0; i < w.size(); ++i) {
    TORCH_CHECK(w[i].sizes() == at::IntArrayRef(shapes[i]), "res_block: expected weights of ",
                at::IntArrayRef(shapes[i]), " but received ", w[i].sizes());
  }
}

Conditioning conditioning_of(const ResBlockInput& in, int64_t batch, int64_t out) {
  Conditioning conditioning(batch, out);
  const auto part = [&](int64_t i) {
    return expand_floats(in.times.narrow(1, in.time_start + i * out, out), batch, out);
  };
  if (in.scale_shift) {
    conditioning.scale = part(0);
    conditioning.shift = part(1);
  } else {
    conditioning.offset = part(0);
  }
  return conditioning;
}

}  // namespace karlo::ops::cpu
