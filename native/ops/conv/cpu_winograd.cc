#include "ops/conv/cpu_winograd.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/parallel.h"
#include "ops/conv/cpu_winograd_products.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

// @tparam T of the pictures @tparam Products how components are multiplied
template <typename T, typename Products>
class Winograd {
 public:
  Winograd(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
           const std::optional<at::Tensor>& residual)
      : rows_in_(input),
        shape_(shape_of(input, rows_in_, weight)),
        rows_(rows_in_.height() / apart()),
        bias_(bias.to(at::kFloat).contiguous()),
        residual_(residual),
        y_(at::empty({rows_in_.batch(), shape_.out, 2 * rows_, 2 * shape_.columns}, bias.options(),
                     at::MemoryFormat::ChannelsLast)),
        workspace_(Products::weight_bytes(shape_) + shape_.strip * Products::row_bytes(shape_) +
                   most_seen() * rows_in_.line() * sizeof(float) + 4 * Workspace::kLine),
        products_(shape_, weight, workspace_),
        active_(workspace_.take({most_seen(), rows_in_.line()}, at::kFloat)) {}

  at::Tensor run() {
    const int64_t all = rows_in_.batch() * rows_;
    for (int64_t first = 0, count = 0; first < all; first += count) {
      // Where a product hangs on the place of its row, pictures must have theirs at the same
      // places.
      const int64_t left = Products::kAnyPlace ? all - first : rows_ - first % rows_;
      count = std::min(shape_.strip, left);
      activate(first, count);
      transform(first, count);
      products_.run(count * shape_.columns, [&](const TileProducts& part) { finish(first, part); });
    }
    return y_;
  }

 private:
  static WinogradShape shape_of(const Activations& input, const ActivatedRows<T>& rows,
                                const at::Tensor& weight) {
    const bool doubled = input.resample == Resample::kUp;
    const int64_t apart = doubled ? 1 : 2, all = rows.height() / apart;
    WinogradShape shape{doubled, weight.size(1), weight.size(0), rows.width() / apart, 1};
    const int64_t most = Products::kAnyPlace ? rows.batch() * all : all;
    shape.strip = std::clamp<int64_t>(Products::kStrip / Products::row_bytes(shape), 1, most);
    return shape;
  }

  // Pixels that lie between a tile and the next.
  int64_t apart() const { return shape_.doubled ? 1 : 2; }
  // The first row of pixels that a row of tiles sees, of all pictures' rows, each picture between
  // two rows of zeros.
  int64_t seen_by(int64_t row) const {
    return row / rows_ * (rows_in_.height() + 2) + row % rows_ * apart();
  }
  // Rows of pixels that a strip sees at most.
  int64_t most_seen() const {
    return shape_.strip * apart() + 2 * std::min(shape_.strip, rows_in_.batch());
  }

  void activate(int64_t row, int64_t count) {
    float* to = active_.mutable_data_ptr<float>();
    const int64_t first = seen_by(row), height = rows_in_.height() + 2;
    parallel(seen_by(row + count - 1) + apart() + 2 - first, rows_in_.line(), [&](int64_t i) {
      rows_in_.write((first + i) / height, (first + i) % height - 1, to + i * rows_in_.line());
    });
  }

  void transform(int64_t row, int64_t count) {
    const int64_t line = rows_in_.line(), columns = shape_.columns, in = shape_.in;
    const float* from = active_.const_data_ptr<float>();
    parallel(count, 32 * columns * in, [&](int64_t i) {
      const float* first = from + (seen_by(row + i) - seen_by(row)) * line;
      Products::transform({{first, first + line, first + 2 * line, first + 3 * line},
                           shape_.doubled,
                           columns,
                           in,
                           products_.tiles() + i * columns * in,
                           shape_.tiles() * in,
                           in});
    });
  }

  // The pixels of some tiles, row by row. @param row the strip's first, of all pictures' tiles
  void finish(int64_t row, const TileProducts& part) {
    const int64_t columns = shape_.columns, out = shape_.out, line = 2 * columns * out;
    const T* more = residual_ ? residual_->const_data_ptr<T>() : nullptr;
    T* to = y_.mutable_data_ptr<T>();
    for (int64_t done = 0; done < part.count;) {
      const int64_t tile = part.first + done, column = tile % columns;
      const int64_t count = std::min(columns - column, part.count - done);
      const int64_t at = (row + tile / columns) * 2 * line + 2 * column * out + part.channel;
      WinogradOutput<T> output{{},
                               part.stride,
                               shape_.doubled,
                               count,
                               part.channels,
                               bias_.template const_data_ptr<float>() + part.channel,
                               {more ? more + at : nullptr, more ? more + at + line : nullptr},
                               {to + at, to + at + line},
                               out};
      for (int64_t k = 0; k < shape_.components(); ++k) {
        output.products[k] = part.components[k] + done * part.stride;
      }
      kernels().rows<T>().winograd_output(output);
      done += count;
    }
  }

  ActivatedRows<T> rows_in_;
  WinogradShape shape_;
  int64_t rows_;  // of tiles
  at::Tensor bias_;
  const std::optional<at::Tensor>& residual_;
  at::Tensor y_;
  Workspace workspace_;
  Products products_;
  at::Tensor active_;  // what a strip sees
};

}  // namespace

bool suits_winograd(const Activations& input) {
  const at::Tensor& x = input.sources[0];
  if (input.resample == Resample::kUp) return true;
  const int64_t scale = input.resample == Resample::kDown ? 2 : 1;
  const int64_t height = x.size(2) / scale, width = x.size(3) / scale;
  const int64_t fewest =
      multiplies_by_pairs(x.scalar_type()) ? PairProducts::kFewest : MatrixProducts::kFewest;
  return height % 2 == 0 && width % 2 == 0 && x.size(0) * height * width >= fewest;
}

at::Tensor winograd(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& residual) {
  const at::Tensor& x = input.sources[0];
  if (x.scalar_type() == at::kFloat) {
    return Winograd<float, MatrixProducts>(input, weight, bias, residual).run();
  }
  if (multiplies_by_pairs(x.scalar_type()))
    return Winograd<at::BFloat16, PairProducts>(input, weight, bias, residual).run();
  return Winograd<at::BFloat16, MatrixProducts>(input, weight, bias, residual).run();
}

}  // namespace karlo::nets::cpu
