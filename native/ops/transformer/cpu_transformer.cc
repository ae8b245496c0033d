#include "ops/transformer/cpu_transformer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "ops/attention/cpu_attention.h"
#include "ops/conv/cpu_direct.h"
#include "ops/images.h"
#include "ops/packed_weights.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

using simd::padded;

struct PackedTransformer {
  DirectConv queries_keys_values, output, mlp_in, mlp_out;
};

PackedTransformer pack_transformer(at::TensorList w) {
  return {DirectConv({at::cat({w[2], w[4], w[6]})}, at::cat({w[3], w[5], w[7]})),
          DirectConv({w[8]}, w[9]), DirectConv({w[12]}, w[13]), DirectConv({w[14]}, w[15])};
}

struct Sizes {
  int64_t batch, tokens, channels, heads, earlier, mlp;

  explicit Sizes(const TransformerInput& in)
      : batch(in.x.size(0)),
        tokens(in.x.size(1)),
        channels(in.x.size(2)),
        heads(in.heads),
        earlier(in.attended.keys ? in.attended.keys->size(2) : 0),
        mlp(in.weights[12].size(0)) {}

  int64_t keys() const { return earlier + tokens; }
  int64_t head_width() const { return channels / heads; }
};

// One block, with the tensors of its arguments prepared.
class Block {
 public:
  explicit Block(const TransformerInput& in)
      : in_(in),
        sizes_(in),
        weights_(PackedWeights::shared().get<PackedTransformer>(
            in.weights, {}, [&] { return pack_transformer(in.weights); })),
        x_(in.x.contiguous()),
        y_(at::empty_like(x_)) {
    if (sizes_.earlier > 0) {
      keys_ = in.attended.keys->contiguous();
      values_ = in.attended.values->contiguous();
    }
    if (in.attended.bias) {
      const int64_t rows = in.attended.bias->size(0);
      bias_ = in.attended.bias->expand({rows, 1, sizes_.tokens, sizes_.keys()}).contiguous();
    }
  }

  at::Tensor run() {
    const int64_t work =
        sizes_.tokens * (weights_->queries_keys_values.work() + weights_->output.work() +
                         weights_->mlp_in.work() + weights_->mlp_out.work());
    parallel(sizes_.batch, work, [&](int64_t b) { compute(b); });
    return y_;
  }

 private:
  // [rows, in] -> [rows, out], plus `residual`.
  static void project(const DirectConv& layer, const float* x, int64_t rows, int64_t in, float* y,
                      const float* residual = nullptr) {
    layer({{x, in, in}}, rows, y, layer.out(), residual);
  }

  void normalize(const float* x, int64_t i, float* y) const {
    simd::kernels().layer_norm(
        {x, sizes_.tokens, sizes_.channels, in_.weights[i].const_data_ptr<float>(),
         in_.weights[i + 1].const_data_ptr<float>(), static_cast<float>(in_.eps), y});
  }

  void compute(int64_t b) const {
    const int64_t n = sizes_.tokens, channels = sizes_.channels, size = n * channels;
    const float* x = x_.const_data_ptr<float>() + b * size;
    float* y = y_.mutable_data_ptr<float>() + b * size;
    // Kept: the system clears the pages of new blocks.
    thread_local std::vector<float> normalized, projected, attended, hidden;
    normalized.resize(size);
    projected.resize(3 * size);
    attended.resize(size);
    hidden.resize(n * sizes_.mlp);
    normalize(x, 0, normalized.data());
    project(weights_->queries_keys_values, normalized.data(), n, channels, projected.data());
    for (int64_t head = 0; head < sizes_.heads; ++head) {
      attend(b, head, projected.data(), attended.data());
    }
    project(weights_->output, attended.data(), n, channels, y, x);
    normalize(y, 10, normalized.data());
    project(weights_->mlp_in, normalized.data(), n, channels, hidden.data());
    const auto activate =
        in_.activation == Activation::kGelu ? simd::kernels().gelu : simd::kernels().quick_gelu;
    activate(hidden.data(), n * sizes_.mlp);
    project(weights_->mlp_out, hidden.data(), n, sizes_.mlp, y, y);
  }

  // Softmax(q k^T / sqrt(d) + bias) v of one head, from [tokens, 3 C] to [tokens, C].
  void attend(int64_t b, int64_t head, float* projected, float* attended) const {
    const int64_t n = sizes_.tokens, channels = sizes_.channels, d = sizes_.head_width();
    const int64_t keys = sizes_.keys(), columns = padded(keys), stride = 3 * channels;
    thread_local std::vector<float> packed_keys, packed_values, logits, padding;
    packed_keys.resize(d * columns);
    packed_values.resize(keys * padded(d));
    logits.resize(n * columns);
    padding.assign(std::max(columns, padded(d)), 0.0f);
    float* q = projected + head * d;
    pack_keys(b, head, q + channels, packed_keys.data());
    pack_values(b, head, q + 2 * channels, packed_values.data());
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t c = 0; c < d; ++c) q[i * stride + c] *= scale;
    }
    const simd::Tap queries{q, d, stride}, probabilities{logits.data(), keys, columns};
    std::fill(padding.begin() + keys, padding.begin() + columns, kPaddingBias);
    simd::kernels().conv_row({&queries, 1, n, logits.data(), columns, nullptr, packed_keys.data(),
                              padding.data(), columns});
    add_bias(b, logits.data());
    simd::kernels().softmax(logits.data(), n, columns);
    std::fill(padding.begin(), padding.end(), 0.0f);
    simd::kernels().conv_row({&probabilities, 1, n, attended + head * d, channels, nullptr,
                              packed_values.data(), padding.data(), d});
  }

  // As pack_taps() packs weights: for each channel, one number of each key, in blocks of vectors.
  void pack_keys(int64_t b, int64_t head, const float* own, float* to) const {
    const int64_t d = sizes_.head_width();
    thread_local std::vector<float> rows;
    gather(keys_, b, head, own, rows);
    pack_taps({{rows.data(), d, d, 1}}, sizes_.keys(), to);
  }
  void pack_values(int64_t b, int64_t head, const float* own, float* to) const {
    const int64_t d = sizes_.head_width();
    thread_local std::vector<float> rows;
    gather(values_, b, head, own, rows);
    pack_taps({{rows.data(), sizes_.keys(), 1, d}}, d, to);
  }

  // The rows [keys, d] of a head: those of earlier tokens, followed by its own.
  void gather(const at::Tensor& earlier, int64_t b, int64_t head, const float* own,
              std::vector<float>& rows) const {
    const int64_t d = sizes_.head_width(), before = sizes_.earlier * d;
    rows.resize(sizes_.keys() * d);
    if (before > 0) {
      std::copy_n(earlier.const_data_ptr<float>() + (b * sizes_.heads + head) * before, before,
                  rows.data());
    }
    for (int64_t i = 0; i < sizes_.tokens; ++i) {
      std::copy_n(own + i * 3 * sizes_.channels, d, rows.data() + before + i * d);
    }
  }

  void add_bias(int64_t b, float* logits) const {
    const int64_t keys = sizes_.keys(), columns = padded(keys);
    if (bias_.defined()) {
      const int64_t first = bias_.size(0) > 1 ? b * sizes_.tokens * keys : 0;
      const float* bias = bias_.const_data_ptr<float>() + first;
      for (int64_t i = 0; i < sizes_.tokens; ++i) {
        for (int64_t k = 0; k < keys; ++k) logits[i * columns + k] += bias[i * keys + k];
      }
    }
    if (!in_.attended.causal) return;
    for (int64_t i = 0; i < sizes_.tokens; ++i) {
      std::fill(logits + i * columns + i + 1, logits + i * columns + keys, kPaddingBias);
    }
  }

  const TransformerInput& in_;
  Sizes sizes_;
  std::shared_ptr<const PackedTransformer> weights_;
  at::Tensor x_, y_, keys_, values_, bias_;
};

}  // namespace

void check_sizes(const TransformerInput& in) {
  const at::TensorList w = in.weights;
  TORCH_CHECK(in.x.dim() == 3 && in.heads > 0 && in.x.size(2) % in.heads == 0 && in.x.numel() > 0,
              "transformer_block: expected [B, tokens, C] with C a multiple of ", in.heads);
  TORCH_CHECK(w.size() == 16, "transformer_block: expected eight weights, each with a bias");
  const int64_t batch = in.x.size(0), channels = in.x.size(2), mlp = w[12].size(0);
  const std::vector<std::vector<int64_t>> shapes{
      {channels},           {channels}, {channels, channels}, {channels},
      {channels, channels}, {channels}, {channels, channels}, {channels},
      {channels, channels}, {channels}, {channels},           {channels},
      {mlp, channels},      {mlp},      {channels, mlp},      {channels}};
  for (size_t i = 0; i < w.size(); ++i) {
    TORCH_CHECK(w[i].sizes() == at::IntArrayRef(shapes[i]),
                "transformer_block: expected weights of ", at::IntArrayRef(shapes[i]),
                " but received ", w[i].sizes());
  }
  const auto& [keys, values, bias, causal] = in.attended;
  TORCH_CHECK(keys.has_value() == values.has_value() && !(causal && (keys || bias)),
              "transformer_block: expected keys with values, and neither with a causal mask");
  int64_t earlier = 0;
  if (keys) {
    earlier = keys->dim() == 4 ? keys->size(2) : -1;
    const std::vector<int64_t> shape{batch, in.heads, earlier, channels / in.heads};
    TORCH_CHECK(
        keys->sizes() == at::IntArrayRef(shape) && values->sizes() == at::IntArrayRef(shape),
        "transformer_block: expected keys and values of ", shape, " but received ", keys->sizes(),
        " and ", values->sizes());
  }
  if (bias) {
    const int64_t tokens = in.x.size(1);
    TORCH_CHECK(bias->dim() == 4 && (bias->size(0) == batch || bias->size(0) == 1) &&
                    bias->size(1) == 1 && (bias->size(2) == tokens || bias->size(2) == 1) &&
                    bias->size(3) == earlier + tokens,
                "transformer_block: expected a bias of [B, 1, ", tokens, ", ", earlier + tokens,
                "] but received ", bias->sizes());
  }
}

bool can_use_narrow_transformer(const TransformerInput& in) {
  const at::TensorList w = in.weights;
  const auto& [keys, values, bias, causal] = in.attended;
  const auto is_float = [](const std::optional<at::Tensor>& tensor) {
    return !tensor || is_float_on_cpu(*tensor);
  };
  const auto is_usable = [](const at::Tensor& tensor) {
    return is_float_on_cpu(tensor) && tensor.is_contiguous();
  };
  return can_use_direct_conv() && is_float_on_cpu(in.x) && is_float(keys) && is_float(values) &&
         is_float(bias) && std::all_of(w.begin(), w.end(), is_usable) &&
         std::max(3 * w[2].numel(), w[12].numel()) <= kMaxNarrowWeights;
}

at::Tensor narrow_transformer(const TransformerInput& in) { return Block(in).run(); }

}  // namespace karlo::ops::cpu
