#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>

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

namespace karlo::ops::cpu {
namespace {

using simd::padded;

// Pixels that a thread computes at a time.
constexpr int64_t kPixels = 16;

struct PackedAttention {
  DirectConv queries, keys_values, output;
};

PackedAttention pack_attention(at::TensorList w) {
  return {DirectConv({w[2]}, w[3]), DirectConv({at::cat({w[4], w[6]})}, at::cat({w[5], w[7]})),
          DirectConv({w[8]}, w[9])};
}

struct Sizes {
  int64_t batch, channels, pixels, context, heads;

  int64_t keys() const { return context + pixels; }
  int64_t head_width() const { return channels / heads; }
  // Of the logits.
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_width())); }
  int64_t chunks() const { return (pixels + kPixels - 1) / kPixels; }
};

// Calls f(image, first pixel, pixels) for each chunk of pixels. A pixel takes about `work`
// multiplications.
template <typename F>
void each_chunk(const Sizes& sizes, int64_t work, const F& f) {
  parallel(sizes.batch * sizes.chunks(), kPixels * work, [&](int64_t i) {
    const int64_t first = i % sizes.chunks() * kPixels;
    f(i / sizes.chunks(), first, std::min(kPixels, sizes.pixels - first));
  });
}

// Copies the context's keys and values to [B, keys, 2 * C], where those of the pixels follow.
void copy_context(const AttentionInput& in, const Sizes& sizes, float* to) {
  const at::Tensor cache = in.cache.contiguous();
  const int64_t stride = cache.size(2), width = 2 * sizes.channels;
  const float* from = cache.const_data_ptr<float>() + in.cache_start;
  parallel(sizes.batch * sizes.context, width, [&](int64_t i) {
    const int64_t row = i / sizes.context * sizes.keys() + i % sizes.context;
    std::copy_n(from + i * stride, width, to + row * width);
  });
}

// Softmax(q k^T + bias) v for each head: q [B, pixels, C], kv [B, keys, 2 * C] -> [B, pixels, C].
void attend(const Sizes& sizes, const float* q, const float* kv, const std::vector<float>& biases,
            float* to) {
  const int64_t keys = sizes.keys(), d = sizes.head_width(), channels = sizes.channels;
  const int64_t columns = padded(keys), heads = sizes.batch * sizes.heads;
  const at::Tensor packed_keys = empty_float({heads, d * columns});
  const at::Tensor packed_values = empty_float({heads, keys * padded(d)});
  float* k = packed_keys.mutable_data_ptr<float>();
  float* v = packed_values.mutable_data_ptr<float>();
  parallel(heads, 2 * keys * d, [&](int64_t i) {
    const float* from = kv + i / sizes.heads * keys * 2 * channels + i % sizes.heads * d;
    pack_taps({{from, d, 2 * channels, 1}}, keys, k + i * d * columns);
    pack_taps({{from + channels, keys, 1, 2 * channels}}, d, v + i * keys * padded(d));
  });
  const std::vector<float> zeros(padded(d), 0.0f);
  parallel(heads * sizes.chunks(), 2 * kPixels * keys * d, [&](int64_t i) {
    const int64_t head = i / sizes.chunks(), first = i % sizes.chunks() * kPixels;
    const int64_t b = head / sizes.heads, count = std::min(kPixels, sizes.pixels - first);
    const int64_t offset = (b * sizes.pixels + first) * channels + head % sizes.heads * d;
    std::vector<float> weights(count * columns);
    const simd::Tap queries{q + offset, d, channels};
    const simd::Tap probabilities{weights.data(), keys, columns};
    simd::kernels().conv_row({&queries, 1, count, weights.data(), columns, nullptr,
                              k + head * d * columns, biases.data() + b * columns, columns});
    simd::kernels().softmax(weights.data(), count, columns);
    simd::kernels().conv_row({&probabilities, 1, count, to + offset, channels, nullptr,
                              v + head * keys * padded(d), zeros.data(), d});
  });
}

}  // namespace

bool can_use_narrow_attention(const AttentionInput& in) {
  const at::TensorList w = in.weights;
  return can_use_direct_conv() && is_float_on_cpu(in.x) && is_float_on_cpu(in.cache) &&
         is_float_on_cpu(in.bias) && std::all_of(w.begin(), w.end(), is_float_on_cpu) &&
         2 * w[2].numel() <= kMaxNarrowWeights && in.x.numel() > 0;
}

at::Tensor narrow_attention(const AttentionInput& in) {
  const at::Tensor x = channels_last(in.x);
  const Sizes sizes{x.size(0), x.size(1), x.size(2) * x.size(3), in.cache.size(1), in.heads};
  const int64_t channels = sizes.channels, pixels = sizes.pixels;
  const auto weights = PackedWeights::shared().get<PackedAttention>(
      in.weights, {}, [&] { return pack_attention(in.weights); });
  const float* from = x.const_data_ptr<float>();
  ChannelMoments moments(sizes.batch, channels);
  moments.add(from, pixels, channels);
  const Affine affine = moments.normalize({in.weights[0], in.weights[1], in.groups, in.eps},
                                          Conditioning(sizes.batch, channels));

  const at::Tensor queries = empty_float({sizes.batch, pixels, channels});
  const at::Tensor keys_values = empty_float({sizes.batch, sizes.keys(), 2 * channels});
  float* q = queries.mutable_data_ptr<float>();
  float* kv = keys_values.mutable_data_ptr<float>();
  copy_context(in, sizes, kv);
  each_chunk(sizes, 3 * channels * channels, [&](int64_t b, int64_t first, int64_t count) {
    std::vector<float> normalized(count * channels);
    simd::kernels().float32.affine(from + (b * pixels + first) * channels, count, channels,
                                   affine.at(b), normalized.data());
    const std::vector<simd::Tap> taps{{normalized.data(), channels, channels}};
    float* chunk = q + (b * pixels + first) * channels;
    weights->queries(taps, count, chunk, channels);
    // Not in the weights: rounding them again would cost accuracy.
    for (int64_t i = 0; i < count * channels; ++i) chunk[i] *= sizes.scale();
    float* after_context = kv + (b * sizes.keys() + sizes.context + first) * 2 * channels;
    weights->keys_values(taps, count, after_context, 2 * channels);
  });
  const at::Tensor attended = empty_float({sizes.batch, pixels, channels});
  float* heads = attended.mutable_data_ptr<float>();
  attend(sizes, q, kv, key_biases(in, sizes.keys()), heads);

  at::Tensor y = at::empty_like(x);
  float* to = y.mutable_data_ptr<float>();
  each_chunk(sizes, channels * channels, [&](int64_t b, int64_t first, int64_t count) {
    const int64_t offset = (b * pixels + first) * channels;
    weights->output({{heads + offset, channels, channels}}, count, to + offset, channels,
                    from + offset);
  });
  return y;
}

}  // namespace karlo::ops::cpu
