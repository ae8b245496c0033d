#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "ops/attention/cpu_attention.h"
#include "ops/conv/cpu_direct.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/images.h"
#include "ops/packed_weights.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

// Pixels that are worked on at once.
constexpr int64_t kRows = 16;
// What keeps a key out that is none but fills up a vector.
constexpr float kNoKey = -1e30f;

struct PackedAttention {
  PackedConv queries, keys_values, output;
};

// The queries are scaled here, once and for all.
PackedAttention pack_attention(at::TensorList w, int64_t heads) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(w[2].size(0) / heads));
  return {PackedConv({w[2] * scale}, w[3] * scale),
          PackedConv({at::cat({w[4], w[6]})}, at::cat({w[5], w[7]})), PackedConv({w[8]}, w[9])};
}

// Sizes of one call: pictures, channels, pixels, tokens of the context, heads and their width.
struct Sizes {
  int64_t batch, channels, pixels, context, heads;

  int64_t keys() const { return context + pixels; }
  int64_t width() const { return channels / heads; }
  int64_t chunks() const { return (pixels + kRows - 1) / kRows; }
};

// Calls f(picture, first pixel, pixels) for every few pixels; each pixel takes about `work`.
template <typename F>
void each_chunk(const Sizes& sizes, int64_t work, const F& f) {
  parallel(sizes.batch * sizes.chunks(), kRows * work, [&](int64_t i) {
    const int64_t first = i % sizes.chunks() * kRows;
    f(i / sizes.chunks(), first, std::min(kRows, sizes.pixels - first));
  });
}

// Keys and values of the context, and behind them those of the pixels: [B, keys, 2 * C].
void copy_context(const AttentionInput& in, const Sizes& sizes, float* to) {
  const at::Tensor cache = in.cache.contiguous();
  const int64_t stride = cache.size(2), wide = 2 * sizes.channels;
  const float* from = cache.const_data_ptr<float>() + in.cache_start;
  parallel(sizes.batch * sizes.context, wide, [&](int64_t i) {
    const int64_t row = i / sizes.context * sizes.keys() + i % sizes.context;
    std::copy_n(from + i * stride, wide, to + row * wide);
  });
}

// Softmax(q k^T + bias) v, head by head: q [B, pixels, C], kv [B, keys, 2 * C] -> [B, pixels, C].
void attend(const Sizes& sizes, const float* q, const float* kv, const std::vector<float>& biases,
            float* to) {
  const int64_t keys = sizes.keys(), d = sizes.width(), channels = sizes.channels;
  const int64_t columns = padded(keys), heads = sizes.batch * sizes.heads;
  const at::Tensor packed_keys = float_empty({heads, d * columns});
  const at::Tensor packed_values = float_empty({heads, keys * padded(d)});
  float* k = packed_keys.mutable_data_ptr<float>();
  float* v = packed_values.mutable_data_ptr<float>();
  parallel(heads, 2 * keys * d, [&](int64_t i) {
    const float* from = kv + i / sizes.heads * keys * 2 * channels + i % sizes.heads * d;
    pack({{from, d, 2 * channels, 1}}, keys, k + i * d * columns);
    pack({{from + channels, keys, 1, 2 * channels}}, d, v + i * keys * padded(d));
  });
  const std::vector<float> none(padded(d), 0.0f);
  parallel(heads * sizes.chunks(), 2 * kRows * keys * d, [&](int64_t i) {
    const int64_t head = i / sizes.chunks(), first = i % sizes.chunks() * kRows;
    const int64_t b = head / sizes.heads, count = std::min(kRows, sizes.pixels - first);
    const int64_t at = (b * sizes.pixels + first) * channels + head % sizes.heads * d;
    std::vector<float> weights(count * columns);
    const Tap queries{q + at, d, channels}, probabilities{weights.data(), keys, columns};
    kernels().conv_row({&queries, 1, count, weights.data(), columns, nullptr,
                        k + head * d * columns, biases.data() + b * columns, columns});
    kernels().softmax(weights.data(), count, columns);
    kernels().conv_row({&probabilities, 1, count, to + at, channels, nullptr,
                        v + head * keys * padded(d), none.data(), d});
  });
}

}  // namespace

void check_sizes(const AttentionInput& in) {
  const at::TensorList w = in.weights;
  TORCH_CHECK(in.x.dim() == 4 && in.groups > 0 && in.x.size(1) % in.groups == 0 && in.heads > 0 &&
                  in.x.size(1) % in.heads == 0,
              "context_attention: expected [B, C, H, W] with C a multiple of ", in.groups, " and ",
              in.heads);
  const int64_t channels = in.x.size(1);
  TORCH_CHECK(in.cache.dim() == 3 && in.cache.size(0) == in.x.size(0) && in.cache_start >= 0 &&
                  in.cache_start + 2 * channels <= in.cache.size(2),
              "context_attention: expected keys and values of each picture from ", in.cache_start,
              " on, but received ", in.cache.sizes());
  TORCH_CHECK(w.size() == 10, "context_attention: expected five weights, each with a bias");
  for (size_t i = 0; i < w.size(); ++i) {
    const bool matrix = i >= 2 && i % 2 == 0;
    TORCH_CHECK(w[i].is_contiguous() && w[i].dim() == (matrix ? 2 : 1) &&
                    w[i].size(0) == channels && w[i].size(-1) == channels,
                "context_attention: expected weights of ", channels, " channels, but received ",
                w[i].sizes());
  }
}

std::vector<float> biases_of(const AttentionInput& in, int64_t keys) {
  const int64_t batch = in.x.size(0), context = in.cache.size(1), width = padded(keys);
  std::vector<float> biases(batch * width, 0.0f);
  const at::Tensor given = in.bias.expand({batch, 1, 1, context}).to(at::kFloat).contiguous();
  for (int64_t b = 0; b < batch; ++b) {
    float* to = biases.data() + b * width;
    std::copy_n(given.const_data_ptr<float>() + b * context, context, to);
    std::fill(to + keys, to + width, kNoKey);
  }
  return biases;
}

bool can_run(const AttentionInput& in) {
  const at::TensorList w = in.weights;
  return has_direct_conv() && is_float_on_cpu(in.x) && is_float_on_cpu(in.cache) &&
         is_float_on_cpu(in.bias) && std::all_of(w.begin(), w.end(), is_float_on_cpu) &&
         2 * w[2].numel() <= kNarrow && in.x.numel() > 0;
}

at::Tensor context_attention(const AttentionInput& in) {
  const at::Tensor x = in.x.contiguous(at::MemoryFormat::ChannelsLast);
  const Sizes sizes{x.size(0), x.size(1), x.size(2) * x.size(3), in.cache.size(1), in.heads};
  const int64_t channels = sizes.channels, pixels = sizes.pixels;
  const auto weights = PackedWeights::shared().get<PackedAttention>(
      in.weights, [&] { return pack_attention(in.weights, in.heads); });
  const float* from = x.const_data_ptr<float>();
  ChannelMoments moments(sizes.batch, channels);
  moments.add(from, pixels, channels);
  const Affine affine = moments.normalize({in.weights[0], in.weights[1], in.groups, in.eps},
                                          Modulations(sizes.batch, channels));

  const at::Tensor queries = float_empty({sizes.batch, pixels, channels});
  const at::Tensor keys_values = float_empty({sizes.batch, sizes.keys(), 2 * channels});
  float* q = queries.mutable_data_ptr<float>();
  float* kv = keys_values.mutable_data_ptr<float>();
  copy_context(in, sizes, kv);
  each_chunk(sizes, 3 * channels * channels, [&](int64_t b, int64_t first, int64_t count) {
    std::vector<float> normed(count * channels);
    kernels().float32.transform(from + (b * pixels + first) * channels, count, channels,
                                affine.gain.data() + b * channels,
                                affine.lift.data() + b * channels, normed.data());
    const std::vector<Tap> taps{{normed.data(), channels, channels}};
    weights->queries(taps, count, q + (b * pixels + first) * channels, channels);
    float* behind = kv + (b * sizes.keys() + sizes.context + first) * 2 * channels;
    weights->keys_values(taps, count, behind, 2 * channels);
  });
  const at::Tensor attended = float_empty({sizes.batch, pixels, channels});
  float* heads = attended.mutable_data_ptr<float>();
  attend(sizes, q, kv, biases_of(in, sizes.keys()), heads);

  at::Tensor y = at::empty_like(x);
  float* to = y.mutable_data_ptr<float>();
  each_chunk(sizes, channels * channels, [&](int64_t b, int64_t first, int64_t count) {
    const int64_t at = (b * pixels + first) * channels;
    weights->output({{heads + at, channels, channels}}, count, to + at, channels, from + at);
  });
  return y;
}

}  // namespace karlo::nets::cpu
