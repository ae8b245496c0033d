#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/parallel.h"
#include "ops/conv/cpu_direct.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/images.h"
#include "ops/packed_weights.h"
#include "ops/res_block/cpu_res_block.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

// Numbers of the pictures that are worked on at once, so that what lies between the steps of a
// block stays in the cache.
constexpr int64_t kTogether = int64_t{1} << 18;  // 1 MB

// Channels-last pictures [B, H, W, C].
struct Pictures {
  const float* data;
  int64_t batch, height, width, channels;

  int64_t pixels() const { return height * width; }
  const float* row(int64_t b, int64_t y) const {
    return data + (b * height + y) * width * channels;
  }
};

Pictures view(const at::Tensor& x) {
  return {x.const_data_ptr<float>(), x.size(0), x.size(2), x.size(3), x.size(1)};
}

// Pictures with a frame of zeros, which a 3x3 convolution sees beyond their edges.
class Framed {
 public:
  Framed(int64_t batch, int64_t height, int64_t width, int64_t channels)
      : height_(height),
        width_(width),
        channels_(channels),
        data_(float_empty({batch, height + 2, width + 2, channels})) {}

  // The pixel (y, x) of picture b, from -1 to the height and the width.
  float* at(int64_t b, int64_t y, int64_t x) const {
    float* data = data_.mutable_data_ptr<float>();
    return data + ((b * (height_ + 2) + y + 1) * (width_ + 2) + x + 1) * channels_;
  }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return channels_; }

  // Zeros around row y: beside it, and beyond it where it is the first or the last.
  void frame(int64_t b, int64_t y) const {
    std::fill_n(at(b, y, -1), channels_, 0.0f);
    std::fill_n(at(b, y, width_), channels_, 0.0f);
    if (y == 0) std::fill_n(at(b, -1, -1), (width_ + 2) * channels_, 0.0f);
    if (y == height_ - 1) std::fill_n(at(b, height_, -1), (width_ + 2) * channels_, 0.0f);
  }

 private:
  int64_t height_, width_, channels_;
  at::Tensor data_;
};

// Norm and SiLU of x, halved after it where `down` says so, in a frame. The factors of x are those
// of the channels from `first` on, of `channels` in all.
Framed activate(const Pictures& x, const Affine& affine, int64_t first, int64_t channels,
                bool down) {
  const int64_t scale = down ? 2 : 1;
  const Framed framed(x.batch, x.height / scale, x.width / scale, x.channels);
  parallel(x.batch * framed.height(), scale * scale * framed.width() * x.channels, [&](int64_t i) {
    const int64_t b = i / framed.height(), y = i % framed.height();
    const float* gain = affine.gain.data() + b * channels + first;
    const float* lift = affine.lift.data() + b * channels + first;
    if (down) {
      std::vector<float> rows(2 * x.width * x.channels);
      kernels().float32.activate(x.row(b, 2 * y), 2 * x.width, x.channels, gain, lift, rows.data());
      halve(rows.data(), rows.data() + x.width * x.channels, framed.width(), x.channels,
            framed.at(b, y, 0));
    } else {
      kernels().float32.activate(x.row(b, y), x.width, x.channels, gain, lift, framed.at(b, y, 0));
    }
    framed.frame(b, y);
  });
  return framed;
}

// x at another size, as what the block adds its result to.
at::Tensor resized(const Pictures& x, Resample resample) {
  const bool down = resample == Resample::kDown;
  const int64_t height = down ? x.height / 2 : x.height * 2;
  const int64_t width = down ? x.width / 2 : x.width * 2;
  at::Tensor result = float_empty({x.batch, height, width, x.channels});
  float* to = result.mutable_data_ptr<float>();
  parallel(x.batch * height, width * x.channels, [&](int64_t i) {
    const int64_t b = i / height, y = i % height;
    float* row = to + i * width * x.channels;
    if (down) {
      halve(x.row(b, 2 * y), x.row(b, 2 * y + 1), width, x.channels, row);
    } else {
      const float* from = x.row(b, y / 2);
      for (int64_t p = 0; p < width; ++p) {
        std::copy_n(from + p / 2 * x.channels, x.channels, row + p * x.channels);
      }
    }
  });
  return result;
}

// A convolution's weights as taps, [out, in] each: row by row, pixel by pixel, and of each its
// `parts` of input channels (x and what is skipped).
using Parts = std::vector<int64_t>;
using Taps = std::vector<at::Tensor>;

void add_tap(Taps& taps, const at::Tensor& matrix, const Parts& parts) {
  int64_t start = 0;
  for (const int64_t width : parts) {
    taps.push_back(matrix.narrow(1, start, width));
    start += width;
  }
}

Taps square(const at::Tensor& weight, const Parts& parts) {
  Taps taps;
  for (int64_t y = 0; y < weight.size(2); ++y) {
    for (int64_t x = 0; x < weight.size(3); ++x) {
      add_tap(taps, weight.select(2, y).select(2, x), parts);
    }
  }
  return taps;
}

// Of a 3x3 convolution of a picture that was doubled before, each output pixel sees just 2x2
// different pixels of the small one: in rows and columns alike the first one twice, or the last.
at::Tensor folded(const at::Tensor& weight, int64_t dim, int64_t parity) {
  const auto tap = [&](int64_t i) { return weight.narrow(dim, i, 1); };
  return parity == 0 ? at::cat({tap(0), tap(1) + tap(2)}, dim)
                     : at::cat({tap(0) + tap(1), tap(2)}, dim);
}

struct PackedBlock {
  std::vector<PackedConv> conv1;  // one, or four for a block that doubles: by parity of y and x
  PackedConv conv2;               // and the shortcut
};

PackedBlock pack_block(const ResBlockInput& in, const Parts& parts) {
  const at::TensorList w = in.weights;
  std::vector<PackedConv> conv1;
  if (in.resample == Resample::kUp) {
    for (const int64_t y : {0, 1}) {
      for (const int64_t x : {0, 1}) {
        conv1.emplace_back(square(folded(folded(w[2], 2, y), 3, x), parts), w[3]);
      }
    }
  } else {
    conv1.emplace_back(square(w[2], parts), w[3]);
  }
  Taps taps = square(w[6], {w[6].size(1)});
  if (w.size() <= 8) return {std::move(conv1), PackedConv(taps, w[7])};
  add_tap(taps, w[8].flatten(1), parts);
  return {std::move(conv1), PackedConv(taps, w[7] + w[9])};
}

// The taps of a row: `size` x `size` pixels of each source, from (y, x) on.
std::vector<Tap> taps_of(const std::vector<Framed>& sources, int64_t b, int64_t y, int64_t x,
                         int64_t size) {
  std::vector<Tap> taps;
  taps.reserve(size * size * sources.size() + sources.size());  // a shortcut's, too
  for (int64_t ky = 0; ky < size; ++ky) {
    for (int64_t kx = 0; kx < size; ++kx) {
      for (const Framed& source : sources) {
        taps.push_back({source.at(b, y + ky, x + kx), source.channels(), source.channels()});
      }
    }
  }
  return taps;
}

// [B, H', W', out], of sources that all have one size.
at::Tensor convolve(const std::vector<Framed>& sources, int64_t batch, const PackedConv& conv) {
  const int64_t height = sources[0].height(), width = sources[0].width(), out = conv.out();
  at::Tensor y = float_empty({batch, height, width, out});
  float* to = y.mutable_data_ptr<float>();
  parallel(batch * height, width * conv.work(), [&](int64_t i) {
    const auto taps = taps_of(sources, i / height, i % height - 1, -1, 3);
    conv(taps, width, to + i * width * out, out);
  });
  return y;
}

// The same of the doubled sources, without doubling them.
at::Tensor convolve_doubled(const std::vector<Framed>& sources, int64_t batch,
                            const std::vector<PackedConv>& convs) {
  const int64_t height = sources[0].height(), width = sources[0].width(), out = convs[0].out();
  at::Tensor y = float_empty({batch, 2 * height, 2 * width, out});
  float* to = y.mutable_data_ptr<float>();
  parallel(batch * 2 * height, 2 * width * convs[0].work(), [&](int64_t i) {
    const int64_t b = i / (2 * height), row = i % (2 * height), odd = row % 2;
    for (const int64_t x : {0, 1}) {
      const auto taps = taps_of(sources, b, row / 2 - 1 + odd, x - 1, 2);
      convs[2 * odd + x](taps, width, to + (i * 2 * width + x) * out, 2 * out);
    }
  });
  return y;
}

// The block of some pictures, channels last, to y.
void run(const ResBlockInput& in, const PackedBlock& weights, float* to) {
  const at::TensorList w = in.weights;
  const int64_t batch = in.x.size(0), channels = w[2].size(1), out = w[2].size(0);
  std::vector<Pictures> sources{view(in.x)};
  if (in.skipped) sources.push_back(view(*in.skipped));

  ChannelMoments moments1(batch, channels);
  int64_t first = 0;
  for (const Pictures& source : sources) {
    moments1.add(source.data, source.pixels(), source.channels, first);
    first += source.channels;
  }
  const Affine affine1 =
      moments1.normalize({w[0], w[1], in.groups, in.eps}, Modulations(batch, channels));
  std::vector<Framed> active;
  first = 0;
  for (const Pictures& source : sources) {
    active.push_back(activate(source, affine1, first, channels, in.resample == Resample::kDown));
    first += source.channels;
  }
  const at::Tensor h = in.resample == Resample::kUp ? convolve_doubled(active, batch, weights.conv1)
                                                    : convolve(active, batch, weights.conv1[0]);

  const int64_t height = h.size(1), width = h.size(2);
  const Pictures hidden{h.const_data_ptr<float>(), batch, height, width, out};
  ChannelMoments moments2(batch, out);
  moments2.add(hidden.data, hidden.pixels(), out);
  const Affine affine2 =
      moments2.normalize({w[4], w[5], in.groups, in.eps}, modulations_of(in, batch, out));
  const std::vector<Framed> last{activate(hidden, affine2, 0, out, false)};

  const bool shortcut = w.size() > 8;
  const at::Tensor past = in.resample == Resample::kNone ? in.x : resized(sources[0], in.resample);
  const float* residual = shortcut ? nullptr : past.const_data_ptr<float>();
  parallel(batch * height, width * weights.conv2.work(), [&](int64_t i) {
    auto taps = taps_of(last, i / height, i % height - 1, -1, 3);
    if (shortcut) {
      for (const Pictures& source : sources) {
        taps.push_back({source.row(i / height, i % height), source.channels, source.channels});
      }
    }
    const float* more = residual ? residual + i * width * out : nullptr;
    weights.conv2(taps, width, to + i * width * out, out, more);
  });
}

}  // namespace

bool is_narrow(const ResBlockInput& in) {
  const at::TensorList w = in.weights;
  const bool shortcut = w.size() > 8;
  return has_direct_conv() && is_float_on_cpu(in.x) && is_float_on_cpu(in.times) &&
         (!in.skipped || is_float_on_cpu(*in.skipped)) &&
         std::all_of(w.begin(), w.end(), is_float_on_cpu) && w[2].numel() <= kNarrow &&
         w[6].numel() <= kNarrow && in.x.numel() > 0 &&
         (shortcut ? in.resample == Resample::kNone : !in.skipped);
}

at::Tensor narrow_res_block(const ResBlockInput& in) {
  const int64_t batch = in.x.size(0), out = in.weights[2].size(0);
  const at::Tensor x = in.x.contiguous(at::MemoryFormat::ChannelsLast);
  Parts parts{x.size(1)};
  std::optional<at::Tensor> skipped;
  if (in.skipped) {
    skipped = in.skipped->contiguous(at::MemoryFormat::ChannelsLast);
    parts.push_back(skipped->size(1));
  }
  const auto weights =
      PackedWeights::shared().get<PackedBlock>(in.weights, [&] { return pack_block(in, parts); });
  at::Tensor y =
      at::empty({batch, out, resampled(x.size(2), in.resample), resampled(x.size(3), in.resample)},
                x.options(), at::MemoryFormat::ChannelsLast);
  const int64_t numbers = std::max(x.numel(), y.numel()) / batch;
  const int64_t together = std::max<int64_t>(1, kTogether / numbers);
  for (int64_t first = 0; first < batch; first += together) {
    const int64_t count = std::min(together, batch - first);
    const auto part = [&](const at::Tensor& all) { return all.narrow(0, first, count); };
    const at::Tensor times = in.times.size(0) == 1 ? in.times : part(in.times), own = part(x);
    const auto more = skipped ? std::make_optional(part(*skipped)) : std::nullopt;
    run({own, more, times, in.time_start, in.scale_shift, in.weights, in.groups, in.eps,
         in.resample},
        *weights, part(y).mutable_data_ptr<float>());
  }
  return y;
}

}  // namespace karlo::nets::cpu
