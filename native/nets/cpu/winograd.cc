#include "nets/cpu/winograd.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "nets/cpu/common.h"
#include "nets/cpu/kernels.h"
#include "nets/cpu/parallel.h"

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
  // @param numbers in all
  explicit Workspace(int64_t numbers)
      : data_(float_empty({(numbers + kPiece - 1) / kPiece * kPiece})) {}

  at::Tensor take(at::IntArrayRef shape) {
    const int64_t count = c10::multiply_integers(shape);
    taken_ += count;
    return data_.narrow(0, taken_ - count, count).view(shape);
  }

 private:
  static constexpr int64_t kPiece = int64_t{1} << 23;  // 32 MB

  at::Tensor data_;
  int64_t taken_ = 0;
};

template <typename T>
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
    Workspace workspace(components_ * out_ * in_ + strip_ * each + seen * rows_in_.line());
    weights_ = workspace.take({components_, out_, in_});
    tiles_ = workspace.take({components_, strip_ * columns_, in_});
    products_ = workspace.take({components_, strip_ * columns_, out_});
    active_ = workspace.take({seen, rows_in_.line()});
    transform_weights(weight);
  }

  at::Tensor run() {
    for (int64_t b = 0; b < rows_in_.batch(); ++b) {
      for (int64_t first = 0; first < rows_; first += strip_) {
        const int64_t count = std::min(strip_, rows_ - first);
        activate(b, first, count);
        transform_strip(count);
        at::Tensor products = products_.narrow(1, 0, count * columns_);
        at::bmm_out(products, tiles_.narrow(1, 0, count * columns_), weights_.transpose(1, 2));
        finish(b, first, count);
      }
    }
    return y_;
  }

 private:
  void transform_weights(const at::Tensor& weight) {
    const at::Tensor own = weight.to(at::kFloat).contiguous();
    const float* from = own.const_data_ptr<float>();
    float* to = weights_.mutable_data_ptr<float>();
    parallel(out_, 32 * in_, [&](int64_t o) {
      kernels().winograd_weights(from + o * in_ * 9, in_, doubled_, to + o * in_, out_ * in_);
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
    float* to = tiles_.mutable_data_ptr<float>();
    parallel(count, 32 * columns_ * in_, [&](int64_t i) {
      const float* first = from + i * apart * line;
      kernels().winograd_input({{first, first + line, first + 2 * line, first + 3 * line},
                                doubled_,
                                columns_,
                                in_,
                                to + i * columns_ * in_,
                                strip_ * columns_ * in_,
                                in_});
    });
  }

  void finish(int64_t b, int64_t first, int64_t count) {
    const float* from = products_.const_data_ptr<float>();
    const float* bias = bias_.template const_data_ptr<float>();
    const T* more = residual_ ? residual_->const_data_ptr<T>() : nullptr;
    T* to = y_.mutable_data_ptr<T>();
    const int64_t line = 2 * columns_ * out_;
    parallel(count, 32 * columns_ * out_, [&](int64_t i) {
      const int64_t at = (b * rows_ + first + i) * 2 * line;
      kernels().rows<T>().winograd_output(
          {from + i * columns_ * out_,
           strip_ * columns_ * out_,
           doubled_,
           columns_,
           out_,
           bias,
           {more ? more + at : nullptr, more ? more + at + line : nullptr},
           {to + at, to + at + line}});
    });
  }

  ActivatedRows<T> rows_in_;
  bool doubled_;
  int64_t components_, in_, out_;
  at::Tensor bias_;
  const std::optional<at::Tensor>& residual_;
  int64_t rows_, columns_, strip_;  // of tiles
  at::Tensor y_;
  at::Tensor weights_;                    // [components, out, in]
  at::Tensor active_, tiles_, products_;  // of a strip
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
    return Winograd<float>(input, weight, bias, residual).run();
  }
  return Winograd<at::BFloat16>(input, weight, bias, residual).run();
}

}  // namespace karlo::nets::cpu
