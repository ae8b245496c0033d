#include "ops/conv/cpu_winograd.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/parallel.h"
#include "ops/conv/cpu_winograd_products.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// The largest tiles whose products are accurate enough, for which there are enough pixels, and
// whose weights fit in the workspace that convolutions share.
template <typename Products, typename Rows>
simd::WinogradTile tile_of(Resample resample, const Rows& rows, const at::Tensor& weight) {
  using simd::WinogradTile;
  if (resample == Resample::kUp) return WinogradTile::kUpsampled;
  const bool divides = rows.height() % 4 == 0 && rows.width() % 4 == 0;
  const bool enough = rows.batch() * rows.height() * rows.width() >= Products::kMinPixels4x4;
  const int64_t numbers = weight.size(0) * weight.size(1) * winograd_components(WinogradTile::k4x4);
  const bool fits = numbers * static_cast<int64_t>(sizeof(float)) <= 9 * Workspace::kBlock / 10;
  return divides && enough && fits ? WinogradTile::k4x4 : WinogradTile::k2x2;
}

// One convolution. It works on strips: as many rows of tiles as fit in the cache.
// @tparam T the dtype of the images @tparam Products how the components are multiplied
template <typename T, typename Products>
class Winograd {
 public:
  Winograd(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
           const std::optional<at::Tensor>& residual)
      : input_rows_(input),
        shape_(shape_of(input, input_rows_, weight)),
        tile_rows_(input_rows_.height() / step()),
        bias_(bias.to(at::kFloat).contiguous()),
        residual_(residual),
        y_(at::empty(
            {input_rows_.batch(), shape_.out, output() * tile_rows_, output() * shape_.columns},
            bias.options(), at::MemoryFormat::ChannelsLast)),
        workspace_(Products::weight_bytes(shape_) + shape_.strip * Products::row_bytes(shape_) +
                   max_lines() * input_rows_.line() * sizeof(float) + 4 * Workspace::kAlignment),
        products_(shape_, weight, workspace_),
        lines_(workspace_.take({max_lines(), input_rows_.line()}, at::kFloat)) {}

  at::Tensor run() {
    const int64_t total = input_rows_.batch() * tile_rows_;
    for (int64_t first = 0, count = 0; first < total; first += count) {
      // If a product depends on the position of its row in the strip, every image must be cut at
      // the same rows.
      const int64_t left =
          Products::kPositionIndependent ? total - first : tile_rows_ - first % tile_rows_;
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
    const auto tile = tile_of<Products>(input.resample, rows, weight);
    const int64_t step = simd::winograd_step(tile), tile_rows = rows.height() / step;
    WinogradShape shape{tile, weight.size(1), weight.size(0), rows.width() / step, 1};
    const int64_t most = Products::kPositionIndependent ? rows.batch() * tile_rows : tile_rows;
    shape.strip = std::clamp<int64_t>(Products::kStripBytes / Products::row_bytes(shape), 1, most);
    return shape;
  }

  // Input pixels from one tile to the next, and output pixels of a tile.
  int64_t step() const { return simd::winograd_step(shape_.tile); }
  int64_t output() const { return simd::winograd_output(shape_.tile); }
  // The first line that a row of tiles reads. Lines are the input rows of all images, each image
  // with a line of zeros above and below it.
  int64_t first_line(int64_t tile_row) const {
    return tile_row / tile_rows_ * (input_rows_.height() + 2) + tile_row % tile_rows_ * step();
  }
  // The most lines that a strip reads.
  int64_t max_lines() const {
    return shape_.strip * step() + 2 * std::min(shape_.strip, input_rows_.batch());
  }

  void activate(int64_t tile_row, int64_t count) {
    float* to = lines_.mutable_data_ptr<float>();
    const int64_t first = first_line(tile_row), lines_per_image = input_rows_.height() + 2;
    const int64_t lines = first_line(tile_row + count - 1) + step() + 2 - first;
    parallel(lines, input_rows_.line(), [&](int64_t i) {
      input_rows_.write((first + i) / lines_per_image, (first + i) % lines_per_image - 1,
                        to + i * input_rows_.line());
    });
  }

  void transform(int64_t tile_row, int64_t count) {
    const int64_t line = input_rows_.line(), columns = shape_.columns, in = shape_.in;
    const float* from = lines_.const_data_ptr<float>();
    parallel(count, 2 * shape_.components() * columns * in, [&](int64_t i) {
      const float* first = from + (first_line(tile_row + i) - first_line(tile_row)) * line;
      simd::WinogradInput<typename Products::Component> row{
          shape_.tile,         {}, columns, in, products_.tiles() + i * columns * in,
          shape_.tiles() * in, in};
      for (int y = 0; y < simd::winograd_size(shape_.tile); ++y) row.rows[y] = first + y * line;
      simd::kernels().winograd<typename Products::Component>().transform_input(row);
    });
  }

  // Writes the pixels of some tiles, row by row. `tile_row`: the strip's first row of tiles.
  void finish(int64_t tile_row, const TileProducts& part) {
    const int64_t columns = shape_.columns, out = shape_.out, line = output() * columns * out;
    const T* residual = residual_ ? residual_->const_data_ptr<T>() : nullptr;
    T* to = y_.mutable_data_ptr<T>();
    for (int64_t done = 0; done < part.count;) {
      const int64_t tile = part.first + done, column = tile % columns;
      const int64_t count = std::min(columns - column, part.count - done);
      const int64_t offset =
          ((tile_row + tile / columns) * line + column * out) * output() + part.channel;
      simd::WinogradOutput<T> row{shape_.tile,
                                  {},
                                  part.stride,
                                  count,
                                  part.channels,
                                  bias_.template const_data_ptr<float>() + part.channel,
                                  {},
                                  {},
                                  out};
      for (int64_t y = 0; y < output(); ++y) {
        row.residual[y] = residual ? residual + offset + y * line : nullptr;
        row.y[y] = to + offset + y * line;
      }
      for (int64_t k = 0; k < shape_.components(); ++k) {
        row.products[k] = part.components[k] + done * part.stride;
      }
      simd::kernels().rows<T>().transform_winograd_output(row);
      done += count;
    }
  }

  ActivatedRows<T> input_rows_;
  WinogradShape shape_;
  int64_t tile_rows_;
  at::Tensor bias_;
  const std::optional<at::Tensor>& residual_;
  at::Tensor y_;
  Workspace workspace_;
  Products products_;
  at::Tensor lines_;  // that the strip reads
};

template <typename T, typename Products>
at::Tensor run(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
               const std::optional<at::Tensor>& residual) {
  return Winograd<T, Products>(input, weight, bias, residual).run();
}

// Images of T, and products in float32.
template <typename T>
at::Tensor run_in_float(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                        const std::optional<at::Tensor>& residual) {
  return simd::has_fast_matmul() ? run<T, LibTorchProducts>(input, weight, bias, residual)
                                 : run<T, PanelProducts<float>>(input, weight, bias, residual);
}

// Whether the kernels for packed weights are faster than LibTorch's products.
bool prefers_panels(at::ScalarType dtype) {
  return simd::prefers_bf16_dot(dtype) || !simd::has_fast_matmul();
}

}  // namespace

bool can_use_winograd(const Activations& input) {
  const at::Tensor& x = input.sources[0];
  if (input.resample == Resample::kUp) return true;
  const int64_t scale = input.resample == Resample::kDown ? 2 : 1;
  const int64_t height = x.size(2) / scale, width = x.size(3) / scale;
  const int64_t min_pixels = prefers_panels(x.scalar_type()) ? PanelProducts<float>::kMinPixels
                                                             : LibTorchProducts::kMinPixels;
  return height % 2 == 0 && width % 2 == 0 && x.size(0) * height * width >= min_pixels;
}

at::Tensor winograd_conv(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                         const std::optional<at::Tensor>& residual) {
  const auto dtype = input.sources[0].scalar_type();
  if (simd::prefers_bf16_dot(dtype)) {
    return run<at::BFloat16, PanelProducts<at::BFloat16>>(input, weight, bias, residual);
  }
  return dtype == at::kFloat ? run_in_float<float>(input, weight, bias, residual)
                             : run_in_float<at::BFloat16>(input, weight, bias, residual);
}

}  // namespace karlo::ops::cpu
