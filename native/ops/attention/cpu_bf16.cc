#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "ops/attention/cpu_attention.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/images.h"
#include "ops/linear/cpu_panel_matmul.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

using at::BFloat16;

// Queries that a thread computes at a time.
constexpr int64_t kQueries = 48;

struct Sizes {
  int64_t batch, pixels, context, heads, head_width;

  int64_t channels() const { return heads * head_width; }
  int64_t keys() const { return context + pixels; }
  // Keys, and a head's width, padded to whole vectors.
  int64_t padded_keys() const { return simd::padded(keys()); }
  int64_t padded_width() const { return simd::padded(head_width); }
};

// [B * pixels, C]
at::Tensor normalize(const AttentionInput& in, const at::Tensor& x, const Sizes& sizes) {
  const int64_t channels = sizes.channels(), pixels = sizes.pixels;
  const BFloat16* from = x.const_data_ptr<BFloat16>();
  ChannelMoments moments(sizes.batch, channels);
  moments.add(from, pixels, channels, 0);
  const Affine affine = moments.normalize({in.weights[0], in.weights[1], in.groups, in.eps},
                                          Conditioning(sizes.batch, channels));
  at::Tensor y = at::empty({sizes.batch * pixels, channels}, x.options());
  BFloat16* to = y.mutable_data_ptr<BFloat16>();
  parallel(sizes.batch * pixels, channels, [&](int64_t i) {
    simd::kernels().bfloat16.affine(from + i * channels, 1, channels, affine.at(i / pixels),
                                    to + i * channels);
  });
  return y;
}

// Keys or values: those of the context's tokens, followed by those of the pixels.
struct JointRows {
  const BFloat16* context;
  int64_t context_stride;  // from one token to the next
  const BFloat16* pixels;

  // Copies those of one head, [keys, head_width]. `channel`: the head's first.
  void copy_head(const Sizes& sizes, int64_t b, int64_t channel, BFloat16* to) const {
    const auto copy = [&](const BFloat16* from, int64_t stride, int64_t rows) {
      for (int64_t i = 0; i < rows; ++i, to += sizes.head_width) {
        std::copy_n(from + (b * rows + i) * stride + channel, sizes.head_width, to);
      }
    };
    copy(context, context_stride, sizes.context);
    copy(pixels, sizes.channels(), sizes.pixels);
  }
};

// x [rows, in], with `stride` from one row to the next, times all packed weights: [rows, count].
void multiply(const BFloat16* x, int64_t stride, int64_t rows, int64_t in, const BFloat16* packed,
              int64_t count, float* sums) {
  const PackedLayout<BFloat16> layout{count, in};
  layout.multiply({x, stride, rows, in, nullptr, 0, sums, count, false}, packed, 0, count, 0);
}

// The packed keys and values of all heads.
class Heads {
 public:
  Heads(const AttentionInput& in, const Sizes& sizes)
      : sizes_(sizes),
        keys_{sizes.keys(), sizes.head_width},
        values_{sizes.head_width, sizes.keys()},
        size_(keys_.size() + values_.size()),
        packed_(at::empty({sizes.batch * sizes.heads, size_}, in.x.options())),
        biases_(key_biases(in, sizes.keys())) {}

  void pack(const JointRows& keys, const JointRows& values) {
    const int64_t lanes = simd::kernels().lanes, d = sizes_.head_width, count = sizes_.keys();
    BFloat16* to = packed_.mutable_data_ptr<BFloat16>();
    parallel(sizes_.batch * sizes_.heads, 2 * count * d, [&](int64_t head) {
      const int64_t b = head / sizes_.heads, channel = head % sizes_.heads * d;
      std::vector<BFloat16> rows(count * d);
      keys.copy_head(sizes_, b, channel, rows.data());
      pack_weights(rows.data(), d, keys_, to + head * size_);
      values.copy_head(sizes_, b, channel, rows.data());
      BFloat16* packed = to + head * size_ + keys_.size();
      for (int64_t v = 0; v < values_.vectors(); ++v) {
        simd::kernels().matmul<BFloat16>().pack_transposed(
            {rows.data() + v * lanes, d, std::min(lanes, d - v * lanes), count,
             packed + values_.offset(v), values_.stride(v)});
      }
    });
  }

  // q [B * pixels, C] -> the same shape
  at::Tensor attend(const at::Tensor& q) const {
    at::Tensor y = at::empty_like(q);
    const BFloat16* from = q.const_data_ptr<BFloat16>();
    BFloat16* to = y.mutable_data_ptr<BFloat16>();
    const int64_t chunks = (sizes_.pixels + kQueries - 1) / kQueries;
    parallel(sizes_.batch * sizes_.heads * chunks, 2 * kQueries * sizes_.keys() * sizes_.head_width,
             [&](int64_t i) { attend(from, i / chunks, i % chunks * kQueries, to); });
    return y;
  }

 private:
  // Softmax(q k^T / sqrt(d) + bias) v for one head and a group of queries, starting at `first`.
  void attend(const BFloat16* q, int64_t head, int64_t first, BFloat16* y) const {
    const int64_t d = sizes_.head_width, channels = sizes_.channels();
    const int64_t columns = sizes_.padded_keys(), width = sizes_.padded_width();
    const int64_t b = head / sizes_.heads, count = std::min(kQueries, sizes_.pixels - first);
    const int64_t offset = (b * sizes_.pixels + first) * channels + head % sizes_.heads * d;
    const BFloat16* packed = packed_.const_data_ptr<BFloat16>() + head * size_;
    thread_local std::vector<float> sums;  // kept: the system clears the pages of a new block
    thread_local std::vector<BFloat16> weights;
    sums.resize(kQueries * std::max(columns, width));
    weights.resize(kQueries * columns);
    float reciprocal_sums[kQueries];
    multiply(q + offset, channels, count, d, packed, columns, sums.data());
    simd::kernels().bf16_dot.softmax(
        {sums.data(), count, columns, static_cast<float>(1 / std::sqrt(static_cast<double>(d))),
         biases_.data() + b * columns, weights.data(), reciprocal_sums});
    multiply(weights.data(), columns, count, sizes_.keys(), packed + keys_.size(), width,
             sums.data());
    simd::kernels().matmul<BFloat16>().epilogue(
        {sums.data(), width, count, d, reciprocal_sums, nullptr, nullptr, y + offset, channels});
  }

  Sizes sizes_;
  PackedLayout<BFloat16> keys_, values_;
  int64_t size_;  // numbers of a head's packed keys and values
  at::Tensor packed_;
  std::vector<float> biases_;  // [B, padded_keys]
};

}  // namespace

bool can_use_bf16_attention(const AttentionInput& in) {
  const at::TensorList w = in.weights;
  const auto is_bf16 = [](const at::Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == at::kBFloat16;
  };
  return simd::prefers_bf16_dot(at::kBFloat16) && is_bf16(in.x) && is_bf16(in.cache) &&
         is_bf16(in.bias) && std::all_of(w.begin(), w.end(), is_bf16) && in.x.numel() > 0;
}

at::Tensor bf16_attention(const AttentionInput& in) {
  const at::Tensor x = channels_last(in.x);
  const Sizes sizes{x.size(0), x.size(2) * x.size(3), in.cache.size(1), in.heads,
                    x.size(1) / in.heads};
  const at::Tensor rows = normalize(in, x, sizes), cache = in.cache.contiguous();
  const auto project = [&](int64_t i) {
    return panel_matmul({{rows, in.weights[i]}}, in.weights[i + 1]);
  };
  Heads heads(in, sizes);
  {
    const BFloat16* context = cache.const_data_ptr<BFloat16>() + in.cache_start;
    const at::Tensor keys = project(4), values = project(6);
    heads.pack({context, cache.size(2), keys.const_data_ptr<BFloat16>()},
               {context + sizes.channels(), cache.size(2), values.const_data_ptr<BFloat16>()});
  }
  const at::Tensor attended = heads.attend(project(2));
  return images_of(panel_matmul({{attended, in.weights[8]}}, in.weights[9], pixels_of(x)),
                   x.size(0), x.size(2), x.size(3));
}

}  // namespace karlo::ops::cpu
