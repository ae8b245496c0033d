#include "ops/attention/cpu_attention.h"

#include <algorithm>

#include "simd/kernels.h"

namespace karlo::ops::cpu {

void check_sizes(const AttentionInput& in) {
  const at::TensorList w = in.weights;
  TORCH_CHECK(in.x.dim() == 4 && in.groups > 0 && in.x.size(1) % in.groups == 0 && in.heads > 0 &&
                  in.x.size(1) % in.heads == 0,
              "context_attention: expected [B, C, H, W] with C a multiple of ", in.groups, " and ",
              in.heads);
  const int64_t channels = in.x.size(1);
  TORCH_CHECK(in.cache.dim() == 3 && in.cache.size(0) == in.x.size(0) && in.cache_start >= 0 &&
                  in.cache_start + 2 * channels <= in.cache.size(2),
              "context_attention: expected keys and values for each image, starting at ",
              in.cache_start, ", but received ", in.cache.sizes());
  TORCH_CHECK(w.size() == 10, "context_attention: expected five weights, each with a bias");
  for (size_t i = 0; i < w.size(); ++i) {
    const bool matrix = i >= 2 && i % 2 == 0;
    TORCH_CHECK(w[i].is_contiguous() && w[i].dim() == (matrix ? 2 : 1) &&
                    w[i].size(0) == channels && w[i].size(-1) == channels,
                "context_attention: expected weights of ", channels, " channels, but received ",
                w[i].sizes());
  }
}

std::vector<float> key_biases(const AttentionInput& in, int64_t keys) {
  const int64_t batch = in.x.size(0), context = in.cache.size(1), columns = simd::padded(keys);
  std::vector<float> biases(batch * columns, 0.0f);
  const at::Tensor given = in.bias.expand({batch, 1, 1, context}).to(at::kFloat).contiguous();
  for (int64_t b = 0; b < batch; ++b) {
    float* to = biases.data() + b * columns;
    std::copy_n(given.const_data_ptr<float>() + b * context, context, to);
    std::fill(to + keys, to + columns, kPaddingBias);
  }
  return biases;
}

}  // namespace karlo::ops::cpu
