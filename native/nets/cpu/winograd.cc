#include "nets/cpu/winograd.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "nets/cpu/common.h"
#include "nets/cpu/gathered_conv.h"
#include "nets/cpu/kernels.h"
#include "nets/cpu/parallel.h"
#include "nets/cpu/processor.h"

namespace karlo::nets::cpu {
namespace {

// Fewer pixels do not pay for the transformed weights.
constexpr int64_t kFewest = 1024;
// Numbers that a strip's components and products take: 64 MB.
constexpr int64_t kStrip = int64_t{1} << 24;

// Where a convolution works, in one piece: pieces of many sizes would not be used again, and the
// system clears new memory page by page.
class Workspace {
 public:
  explicit Workspace(int64_t bytes)
      : data_(at::empty({(bytes + kPiece - 1) / kPiece * kPiece},
                        at::TensorOptions().dtype(at::kByte))) {}

  at::Tensor take(at::IntArrayRef shape, at::ScalarType dtype) {
    const int64_t bytes = c10::multiply_integers(shape) * c10::elementSize(dtype);
    const int64_t first = taken_;
    taken_ += (bytes + kLine - 1) / kLine * kLine;
    return data_.narrow(0, first, bytes).view(dtype).view(shape);
  }

  // What take() takes at most, beside the bytes.
  static constexpr int64_t kLine = 64;

 private:
  // Nearly always one, of which only what is used takes memory.
  static constexpr int64_t kPiece = int64_t{1} << 27;  // 128 MB

  at::Tensor data_;
  int64_t taken_ = 0;
};

// @tparam T of the pictures @tparam C of the components
template <typename T, typename C>
class Winograd {
 public:
  Winograd(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
           const std::optional<at::Tensor>& residual)
      : rows_in_(input),
        doubled_(input.resample == Resample::kUp),
        components_(doubled_ ? 9 : 16),
        in_(weight.size(1)),
        out_(weight.size(0)),
        bias_(bias.to(at::kFloat).contiguous()),
        residual_(residual) {
    const int64_t apart = doubled_ ? 1 : 2;
    rows_ = rows_in_.height() / apart;
    columns_ = rows_in_.width() / apart;
    y_ = at::empty({rows_in_.batch(), out_, 2 * rows_, 2 * columns_}, bias.options(),
                   at::MemoryFormat::ChannelsLast);
    const int64_t each = components_ * (in_ + out_) * columns_;
    strip_ = std::clamp<int64_t>(kStrip / each, 1, rows_);
    const int64_t seen = (doubled_ ? strip_ : 2 * strip_) + 2;
    constexpr auto dtype = c10::CppTypeToScalarType<C>::value;
    Workspace workspace((components_ * out_ * in_ + strip_ * each) * sizeof(C) +
                        seen * rows_in_.line() * sizeof(float) + 4 * Workspace::kLine);
    weights_ = workspace.take({components_, out_, in_}, dtype);
    tiles_ = workspace.take({components_, strip_ * columns_, in_}, dtype);
    if (dtype != at::kFloat || has_fast_products()) {
      products_ = workspace.take({components_, strip_ * columns_, out_}, dtype);
    }
    active_ = workspace.take({seen, rows_in_.line()}, at::kFloat);
    transform_weights(weight);
  }

  at::Tensor run() {
    for (int64_t b = 0; b < rows_in_.batch(); ++b) {
      for (int64_t first = 0; first < rows_; first += strip_) {
        const int64_t count = std::min(strip_, rows_ - first);
        activate(b, first, count);
        transform_strip(count);
        multiply(count);
        finish(b, first, count);
      }
    }
    return y_;
  }

 private:
  void transform_weights(const at::Tensor& weight) {
    const at::Tensor own = weight.to(at::kFloat).contiguous();
    const float* from = own.const_data_ptr<float>();
    C* to = weights_.mutable_data_ptr<C>();
    parallel(out_, 32 * in_, [&](int64_t o) {
      kernels().winograd<C>().weights(from + o * in_ * 9, in_, doubled_, to + o * in_, out_ * in_);
    });
  }

  // The rows of pixels that a strip of tiles sees.
  void activate(int64_t b, int64_t first, int64_t count) {
    const int64_t apart = doubled_ ? 1 : 2;
    float* to = active_.mutable_data_ptr<float>();
    parallel(count * apart + 2, rows_in_.line(), [&](int64_t i) {
      rows_in_.write(b, first * apart - 1 + i, to + i * rows_in_.line());
    });
  }

  void transform_strip(int64_t count) {
    const int64_t apart = doubled_ ? 1 : 2, line = rows_in_.line();
    const float* from = active_.const_data_ptr<float>();
    C* to = tiles_.mutable_data_ptr<C>();
    parallel(count, 32 * columns_ * in_, [&](int64_t i) {
      const float* first = from + i * apart * line;
      kernels().winograd<C>().input({{first, first + line, first + 2 * line, first + 3 * line},
                                     doubled_,
                                     columns_,
                                     in_,
                                     to + i * columns_ * in_,
                                     strip_ * columns_ * in_,
                                     in_});
    });
  }

  void multiply(int64_t count) {
    const int64_t tiles = count * columns_;
    if (products_.defined()) {
      at::Tensor products = products_.narrow(1, 0, tiles);
      at::bmm_out(products, tiles_.narrow(1, 0, tiles), weights_.transpose(1, 2));
      for (int64_t k = 0; k < components_; ++k) product_of_[k] = products[k];
      return;
    }
    for (int64_t k = 0; k < components_; ++k) {
      product_of_[k] =
          product_by_convolution(tiles_[k].narrow(0, 0, tiles), weights_[k], std::nullopt);
    }
  }

  void finish(int64_t b, int64_t first, int64_t count) {
    const float* bias = bias_.template const_data_ptr<float>();
    const T* more = residual_ ? residual_->const_data_ptr<T>() : nullptr;
    T* to = y_.mutable_data_ptr<T>();
    const int64_t line = 2 * columns_ * out_;
    parallel(count, 32 * columns_ * out_, [&](int64_t i) {
      const int64_t at = (b * rows_ + first + i) * 2 * line;
      WinogradOutput<T, C> row{{},
                               doubled_,
                               columns_,
                               out_,
                               bias,
                               {more ? more + at : nullptr, more ? more + at + line : nullptr},
                               {to + at, to + at + line}};
      for (int64_t k = 0; k < components_; ++k) {
        row.products[k] = product_of_[k].template const_data_ptr<C>() + i * columns_ * out_;
      }
      output_of(kernels().winograd<C>())(row);
    });
  }

  static auto output_of(const WinogradKernels<C>& kernels) {
    if constexpr (std::is_same_v<T, float>) {
      return kernels.float_output;
    } else {
      return kernels.bfloat16_output;
    }
  }

  ActivatedRows<T> rows_in_;
  bool doubled_;
  int64_t components_, in_, out_;
  at::Tensor bias_;
  const std::optional<at::Tensor>& residual_;
  int64_t rows_, columns_, strip_;  // of tiles
  at::Tensor y_;
  at::Tensor weights_;                     // [components, out, in]
  at::Tensor active_, tiles_, products_;   // of a strip
  std::array<at::Tensor, 16> product_of_;  // of each component
};

}  // namespace

bool suits_winograd(const Activations& input) {
  const at::Tensor& x = input.sources[0];
  if (input.resample == Resample::kUp) return true;
  const int64_t scale = input.resample == Resample::kDown ? 2 : 1;
  const int64_t height = x.size(2) / scale, width = x.size(3) / scale;
  return height % 2 == 0 && width % 2 == 0 && x.size(0) * height * width >= kFewest;
}

at::Tensor winograd(const Activations& input, const at::Tensor& weight, const at::Tensor& bias,
                    const std::optional<at::Tensor>& residual) {
  if (input.sources[0].scalar_type() == at::kFloat) {
    return Winograd<float, float>(input, weight, bias, residual).run();
  }
  if (multiplies_bfloat16()) {
    return Winograd<at::BFloat16, at::BFloat16>(input, weight, bias, residual).run();
  }
  return Winograd<at::BFloat16, float>(input, weight, bias, residual).run();
}

}  // namespace karlo::nets::cpu
