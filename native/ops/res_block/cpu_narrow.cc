#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/parallel.h"
#include "ops/conv/cpu_direct.h"
#include "ops/images.h"
#include "ops/packed_weights.h"
#include "ops/res_block/cpu_res_block.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// Numbers per group of images that are computed at once: their intermediate results stay in the
// cache.
constexpr int64_t kGroupSize = int64_t{1} << 18;  // 1 MB

// Channels-last images [B, H, W, C].
struct ImageView {
  const float* data;
  int64_t batch, height, width, channels;

  int64_t pixels() const { return height * width; }
  const float* row(int64_t b, int64_t y) const {
    return data + (b * height + y) * width * channels;
  }
};

ImageView view(const at::Tensor& x) {
  return {x.const_data_ptr<float>(), x.size(0), x.size(2), x.size(3), x.size(1)};
}

// Images with one pixel of zero padding, which a 3x3 convolution reads beyond their edges.
class PaddedImages {
 public:
  PaddedImages(int64_t batch, int64_t height, int64_t width, int64_t channels)
      : height_(height),
        width_(width),
        channels_(channels),
        data_(empty_float({batch, height + 2, width + 2, channels})) {}

  // The pixel (y, x) of image b, with y from -1 to the height and x from -1 to the width.
  float* at(int64_t b, int64_t y, int64_t x) const {
    float* data = data_.mutable_data_ptr<float>();
    return data + ((b * (height_ + 2) + y + 1) * (width_ + 2) + x + 1) * channels_;
  }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return channels_; }

  // Writes the zeros left and right of row y, and those above the first and below the last.
  void pad_row(int64_t b, int64_t y) const {
    std::fill_n(at(b, y, -1), channels_, 0.0f);
    std::fill_n(at(b, y, width_), channels_, 0.0f);
    if (y == 0) std::fill_n(at(b, -1, -1), (width_ + 2) * channels_, 0.0f);
    if (y == height_ - 1) std::fill_n(at(b, height_, -1), (width_ + 2) * channels_, 0.0f);
  }

 private:
  int64_t height_, width_, channels_;
  at::Tensor data_;
};

// Norm and SiLU of x, downsampled afterwards if `down`, with padding. The channels of x start at
// `first` of those of `affine`.
PaddedImages activate(const ImageView& x, const Affine& affine, int64_t first, bool down) {
  const int64_t scale = down ? 2 : 1;
  const PaddedImages padded(x.batch, x.height / scale, x.width / scale, x.channels);
  const auto activate_rows = simd::kernels().float32.affine_silu_to_float;
  parallel(x.batch * padded.height(), scale * scale * padded.width() * x.channels, [&](int64_t i) {
    const int64_t b = i / padded.height(), y = i % padded.height();
    const simd::Affine factors = affine.at(b, first);
    if (down) {
      std::vector<float> rows(2 * x.width * x.channels);
      activate_rows(x.row(b, 2 * y), 2 * x.width, x.channels, factors, rows.data());
      average_2x2(rows.data(), rows.data() + x.width * x.channels, padded.width(), x.channels,
                  padded.at(b, y, 0));
    } else {
      activate_rows(x.row(b, y), x.width, x.channels, factors, padded.at(b, y, 0));
    }
    padded.pad_row(b, y);
  });
  return padded;
}

// The residual of a block that resamples.
at::Tensor resize(const ImageView& x, Resample resample) {
  const bool down = resample == Resample::kDown;
  const int64_t height = resampled(x.height, resample), width = resampled(x.width, resample);
  at::Tensor result = empty_float({x.batch, height, width, x.channels});
  float* to = result.mutable_data_ptr<float>();
  parallel(x.batch * height, width * x.channels, [&](int64_t i) {
    const int64_t b = i / height, y = i % height;
    float* row = to + i * width * x.channels;
    if (down) {
      average_2x2(x.row(b, 2 * y), x.row(b, 2 * y + 1), width, x.channels, row);
    } else {
      const float* from = x.row(b, y / 2);
      for (int64_t p = 0; p < width; ++p) {
        std::copy_n(from + p / 2 * x.channels, x.channels, row + p * x.channels);
      }
    }
  });
  return result;
}

// A convolution's weights as taps, [out, in] each, in row-major order of the pixels. Each pixel has
// one tap per source: x, and the skip connection. `Widths`: the input channels of each source.
using Widths = std::vector<int64_t>;
using Taps = std::vector<at::Tensor>;

void add_taps(Taps& taps, const at::Tensor& matrix, const Widths& widths) {
  int64_t start = 0;
  for (const int64_t width : widths) {
    taps.push_back(matrix.narrow(1, start, width));
    start += width;
  }
}

Taps taps_of(const at::Tensor& weight, const Widths& widths) {
  Taps taps;
  for (int64_t y = 0; y < weight.size(2); ++y) {
    for (int64_t x = 0; x < weight.size(3); ++x) {
      add_taps(taps, weight.select(2, y).select(2, x), widths);
    }
  }
  return taps;
}

// In a 3x3 convolution of an upsampled image, each output pixel depends on only 2x2 different input
// pixels: in rows and columns alike, either the first is read twice or the last. This adds up the
// weights of one such dimension.
at::Tensor fold(const at::Tensor& weight, int64_t dim, int64_t parity) {
  const auto tap = [&](int64_t i) { return weight.narrow(dim, i, 1); };
  return parity == 0 ? at::cat({tap(0), tap(1) + tap(2)}, dim)
                     : at::cat({tap(0) + tap(1), tap(2)}, dim);
}

struct PackedBlock {
  std::vector<DirectConv> conv1;  // one; four if the block upsamples, by the parity of y and x
  DirectConv conv2;               // and the shortcut
};

PackedBlock pack_block(const ResBlockInput& in, const Widths& widths) {
  const at::TensorList w = in.weights;
  std::vector<DirectConv> conv1;
  if (in.resample == Resample::kUp) {
    for (const int64_t y : {0, 1}) {
      for (const int64_t x : {0, 1}) {
        conv1.emplace_back(taps_of(fold(fold(w[2], 2, y), 3, x), widths), w[3]);
      }
    }
  } else {
    conv1.emplace_back(taps_of(w[2], widths), w[3]);
  }
  Taps taps = taps_of(w[6], {w[6].size(1)});
  if (!in.has_shortcut()) return {std::move(conv1), DirectConv(taps, w[7])};
  add_taps(taps, w[8].flatten(1), widths);
  return {std::move(conv1), DirectConv(taps, w[7] + w[9])};
}

// The taps for a row of output pixels: `size` x `size` pixels of each source, starting at (y, x).
std::vector<simd::Tap> taps_at(const std::vector<PaddedImages>& sources, int64_t b, int64_t y,
                               int64_t x, int64_t size) {
  std::vector<simd::Tap> taps;
  taps.reserve(size * size * sources.size() + sources.size());  // includes a shortcut's
  for (int64_t ky = 0; ky < size; ++ky) {
    for (int64_t kx = 0; kx < size; ++kx) {
      for (const PaddedImages& source : sources) {
        taps.push_back({source.at(b, y + ky, x + kx), source.channels(), source.channels()});
      }
    }
  }
  return taps;
}

// A 3x3 convolution of sources of the same size: [B, H, W, out].
at::Tensor convolve(const std::vector<PaddedImages>& sources, int64_t batch,
                    const DirectConv& conv) {
  const int64_t height = sources[0].height(), width = sources[0].width(), out = conv.out();
  at::Tensor y = empty_float({batch, height, width, out});
  float* to = y.mutable_data_ptr<float>();
  parallel(batch * height, width * conv.work(), [&](int64_t i) {
    const auto taps = taps_at(sources, i / height, i % height - 1, -1, 3);
    conv(taps, width, to + i * width * out, out);
  });
  return y;
}

// The same for sources that are upsampled first, computed without upsampling them. The result is
// [B, 2 H, 2 W, out].
at::Tensor convolve_upsampled(const std::vector<PaddedImages>& sources, int64_t batch,
                              const std::vector<DirectConv>& convs) {
  const int64_t height = sources[0].height(), width = sources[0].width(), out = convs[0].out();
  at::Tensor y = empty_float({batch, 2 * height, 2 * width, out});
  float* to = y.mutable_data_ptr<float>();
  parallel(batch * 2 * height, 2 * width * convs[0].work(), [&](int64_t i) {
    const int64_t b = i / (2 * height), row = i % (2 * height), odd = row % 2;
    for (const int64_t x : {0, 1}) {
      const auto taps = taps_at(sources, b, row / 2 - 1 + odd, x - 1, 2);
      convs[2 * odd + x](taps, width, to + (i * 2 * width + x) * out, 2 * out);
    }
  });
  return y;
}

// Computes the block for a group of channels-last images.
void compute(const ResBlockInput& in, const PackedBlock& weights, float* to) {
  const at::TensorList w = in.weights;
  const int64_t batch = in.x.size(0), channels = w[2].size(1), out = w[2].size(0);
  std::vector<ImageView> sources{view(in.x)};
  if (in.skip) sources.push_back(view(*in.skip));

  ChannelMoments moments1(batch, channels);
  int64_t first = 0;
  for (const ImageView& source : sources) {
    moments1.add(source.data, source.pixels(), source.channels, first);
    first += source.channels;
  }
  const Affine affine1 =
      moments1.normalize({w[0], w[1], in.groups, in.eps}, Conditioning(batch, channels));
  std::vector<PaddedImages> input;
  first = 0;
  for (const ImageView& source : sources) {
    input.push_back(activate(source, affine1, first, in.resample == Resample::kDown));
    first += source.channels;
  }
  const at::Tensor h = in.resample == Resample::kUp
                           ? convolve_upsampled(input, batch, weights.conv1)
                           : convolve(input, batch, weights.conv1[0]);

  const int64_t height = h.size(1), width = h.size(2);
  const ImageView hidden{h.const_data_ptr<float>(), batch, height, width, out};
  ChannelMoments moments2(batch, out);
  moments2.add(hidden.data, hidden.pixels(), out);
  const Affine affine2 =
      moments2.normalize({w[4], w[5], in.groups, in.eps}, conditioning_of(in, batch, out));
  const std::vector<PaddedImages> activated{activate(hidden, affine2, 0, false)};

  const at::Tensor resized =
      in.resample == Resample::kNone ? in.x : resize(sources[0], in.resample);
  const float* residual = in.has_shortcut() ? nullptr : resized.const_data_ptr<float>();
  parallel(batch * height, width * weights.conv2.work(), [&](int64_t i) {
    auto taps = taps_at(activated, i / height, i % height - 1, -1, 3);
    if (in.has_shortcut()) {
      for (const ImageView& source : sources) {
        taps.push_back({source.row(i / height, i % height), source.channels, source.channels});
      }
    }
    const float* residual_row = residual ? residual + i * width * out : nullptr;
    weights.conv2(taps, width, to + i * width * out, out, residual_row);
  });
}

}  // namespace

bool can_use_narrow_res_block(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  return can_use_direct_conv() && is_float_on_cpu(in.x) && is_float_on_cpu(in.times) &&
         (!in.skip || is_float_on_cpu(*in.skip)) &&
         std::all_of(w.begin(), w.end(), is_float_on_cpu) && w[2].numel() <= kMaxNarrowWeights &&
         w[6].numel() <= kMaxNarrowWeights && in.x.numel() > 0 &&
         (in.has_shortcut() ? in.resample == Resample::kNone : !in.skip);
}

at::Tensor narrow_res_block(const ResBlockInput& in) {
  const int64_t batch = in.x.size(0), out = in.weights[2].size(0);
  const at::Tensor x = channels_last(in.x);
  Widths widths{x.size(1)};
  std::optional<at::Tensor> skip;
  if (in.skip) {
    skip = channels_last(*in.skip);
    widths.push_back(skip->size(1));
  }
  std::vector<int64_t> layout = widths;
  layout.push_back(static_cast<int64_t>(in.resample));
  const auto weights = PackedWeights::shared().get<PackedBlock>(
      in.weights, layout, [&] { return pack_block(in, widths); });
  at::Tensor y =
      at::empty({batch, out, resampled(x.size(2), in.resample), resampled(x.size(3), in.resample)},
                x.options(), at::MemoryFormat::ChannelsLast);
  const int64_t numbers = std::max(x.numel(), y.numel()) / batch;
  const int64_t group = std::max<int64_t>(1, kGroupSize / numbers);
  for (int64_t first = 0; first < batch; first += group) {
    const int64_t count = std::min(group, batch - first);
    const auto part = [&](const at::Tensor& all) { return all.narrow(0, first, count); };
    const at::Tensor times = in.times.size(0) == 1 ? in.times : part(in.times);
    const at::Tensor images = part(x);
    const auto skip_images = skip ? std::make_optional(part(*skip)) : std::nullopt;
    compute({images, skip_images, times, in.time_start, in.scale_shift, in.weights, in.groups,
             in.eps, in.resample},
            *weights, part(y).mutable_data_ptr<float>());
  }
  return y;
}

}  // namespace karlo::ops::cpu
