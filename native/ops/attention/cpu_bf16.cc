#include "ops/attention/cpu_bf16.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "ops/conv/cpu_direct.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/images.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

using at::BFloat16;

// Queries that are worked on at once.
constexpr int64_t kQueries = 48;

struct Sizes {
  int64_t batch, pixels, context, heads, width;  // of a head

  int64_t channels() const { return heads * width; }
  int64_t keys() const { return context + pixels; }
  // Keys, and results of a head, filled up to whole panels' vectors.
  int64_t columns() const { return padded(keys()); }
  int64_t values() const { return padded(width); }
};

// [B * pixels, C]
at::Tensor normalized(const AttentionInput& in, const at::Tensor& x, const Sizes& sizes) {
  const int64_t channels = sizes.channels(), pixels = sizes.pixels;
  const BFloat16* from = x.const_data_ptr<BFloat16>();
  ChannelMoments moments(sizes.batch, channels);
  moments.add(from, pixels, channels, 0);
  const Affine affine = moments.normalize({in.weights[0], in.weights[1], in.groups, in.eps},
                                          Modulations(sizes.batch, channels));
  at::Tensor y = at::empty({sizes.batch * pixels, channels}, x.options());
  BFloat16* to = y.mutable_data_ptr<BFloat16>();
  parallel(sizes.batch * pixels, channels, [&](int64_t i) {
    const int64_t first = i / pixels * channels;
    kernels().bfloat16.transform(from + i * channels, 1, channels, affine.gain.data() + first,
                                 affine.lift.data() + first, to + i * channels);
  });
  return y;
}

// Keys or values: of the context's tokens and, behind them, of the pixels.
struct Seen {
  const BFloat16* context;
  int64_t stride;  // from a token to the next
  const BFloat16* pixels;

  // Those of one head, [keys, width].
  void collect(const Sizes& sizes, int64_t b, int64_t channel, BFloat16* to) const {
    const auto copy = [&](const BFloat16* from, int64_t step, int64_t rows) {
      for (int64_t i = 0; i < rows; ++i, to += sizes.width) {
        std::copy_n(from + (b * rows + i) * step + channel, sizes.width, to);
      }
    };
    copy(context, stride, sizes.context);
    copy(pixels, sizes.channels(), sizes.pixels);
  }
};

// x [rows, in], `stride` apart, times all that is packed: [rows, count].
void multiply(const BFloat16* x, int64_t stride, int64_t rows, int64_t in, const BFloat16* packed,
              int64_t count, float* sums) {
  const int64_t lanes = kernels().lanes, vectors = count / lanes, pairs = (in + 1) / 2;
  for (int64_t v = 0; v < vectors; v += kPanel) {
    kernels().pairs.product({x, stride, rows, in, packed + 2 * lanes * v * pairs,
                             std::min(kPanel, vectors - v), sums + v * lanes, count, false});
  }
}

class Heads {
 public:
  Heads(const AttentionInput& in, const Sizes& sizes)
      : sizes_(sizes),
        key_size_(packed_size(sizes.keys(), sizes.width)),
        size_(key_size_ + packed_size(sizes.width, sizes.keys())),
        packed_(at::empty({sizes.batch * sizes.heads, size_}, in.x.options())),
        biases_(biases_of(in, sizes.keys())) {}

  void pack(const Seen& keys, const Seen& values) {
    const int64_t lanes = kernels().lanes, d = sizes_.width, all = sizes_.keys();
    BFloat16* to = packed_.mutable_data_ptr<BFloat16>();
    parallel(sizes_.batch * sizes_.heads, 2 * all * d, [&](int64_t head) {
      const int64_t b = head / sizes_.heads, channel = head % sizes_.heads * d;
      std::vector<BFloat16> rows(all * d);
      keys.collect(sizes_, b, channel, rows.data());
      cpu::pack(rows.data(), d, all, d, to + head * size_);
      values.collect(sizes_, b, channel, rows.data());
      const int64_t vectors = sizes_.values() / lanes;
      for (int64_t v = 0; v < vectors; ++v) {
        const PackedPlace place = packed_place(v, vectors, all);
        kernels().pairs.pack_columns({rows.data() + v * lanes, d, std::min(lanes, d - v * lanes),
                                      all, to + head * size_ + key_size_ + place.at, place.step});
      }
    });
  }

  // q [B * pixels, C] to the same shape.
  at::Tensor attend(const at::Tensor& q) const {
    at::Tensor y = at::empty_like(q);
    const BFloat16* from = q.const_data_ptr<BFloat16>();
    BFloat16* to = y.mutable_data_ptr<BFloat16>();
    const int64_t chunks = (sizes_.pixels + kQueries - 1) / kQueries;
    parallel(sizes_.batch * sizes_.heads * chunks, 2 * kQueries * sizes_.keys() * sizes_.width,
             [&](int64_t i) { attend(from, i / chunks, i % chunks * kQueries, to); });
    return y;
  }

 private:
  // Softmax(q k^T / sqrt(d) + bias) v of one head, from query `first` on.
  void attend(const BFloat16* q, int64_t head, int64_t first, BFloat16* y) const {
    const int64_t d = sizes_.width, columns = sizes_.columns(), channels = sizes_.channels();
    const int64_t b = head / sizes_.heads, count = std::min(kQueries, sizes_.pixels - first);
    const int64_t at = (b * sizes_.pixels + first) * channels + head % sizes_.heads * d;
    const BFloat16* packed = packed_.const_data_ptr<BFloat16>() + head * size_;
    thread_local std::vector<float> logits;  // kept: so large a piece would come anew
    thread_local std::vector<BFloat16> weights;
    logits.resize(kQueries * std::max(columns, sizes_.values()));
    weights.resize(kQueries * columns);
    float factors[kQueries];
    multiply(q + at, channels, count, d, packed, columns, logits.data());
    kernels().pairs.softmax({logits.data(), count, columns,
                             static_cast<float>(1 / std::sqrt(static_cast<double>(d))),
                             biases_.data() + b * columns, weights.data(), factors});
    multiply(weights.data(), columns, count, sizes_.keys(), packed + key_size_, sizes_.values(),
             logits.data());
    kernels().pairs.finish(
        {logits.data(), sizes_.values(), count, d, factors, nullptr, nullptr, y + at, channels});
  }

  Sizes sizes_;
  int64_t key_size_, size_;  // numbers of a head's keys, and of its keys and values
  at::Tensor packed_;
  std::vector<float> biases_;  // [B, columns]
};

}  // namespace

bool suits_wide_attention(const AttentionInput& in) {
  const at::TensorList w = in.weights;
  const auto is_such = [](const at::Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == at::kBFloat16;
  };
  return multiplies_by_pairs(at::kBFloat16) && is_such(in.x) && is_such(in.cache) &&
         is_such(in.bias) && std::all_of(w.begin(), w.end(), is_such) && in.x.numel() > 0;
}

at::Tensor wide_attention(const AttentionInput& in) {
  const at::Tensor x = in.x.contiguous(at::MemoryFormat::ChannelsLast);
  const Sizes sizes{x.size(0), x.size(2) * x.size(3), in.cache.size(1), in.heads,
                    x.size(1) / in.heads};
  const at::Tensor rows = normalized(in, x, sizes), cache = in.cache.contiguous();
  const auto projected = [&](int64_t i) {
    return pair_product({{rows, in.weights[i]}}, in.weights[i + 1]);
  };
  Heads heads(in, sizes);
  {
    const BFloat16* context = cache.const_data_ptr<BFloat16>() + in.cache_start;
    const at::Tensor keys = projected(4), values = projected(6);
    heads.pack({context, cache.size(2), keys.const_data_ptr<BFloat16>()},
               {context + sizes.channels(), cache.size(2), values.const_data_ptr<BFloat16>()});
  }
  const at::Tensor attended = heads.attend(projected(2));
  return pictures_of(pair_product({{attended, in.weights[8]}}, in.weights[9], pixels_of(x)),
                     x.size(0), x.size(2), x.size(3));
}

}  // namespace karlo::nets::cpu
