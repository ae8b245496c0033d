#include "ops/linear/cpu_panel_matmul.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/BFloat16.h>

#include <algorithm>

#include "core/parallel.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// Rows per pass: their sums stay in a core's cache.
constexpr int64_t kRows = 1024;
// Rows that all panels use in turn.
constexpr int64_t kRowsPerPanel = 96;
// Inputs per pass: their packed weights stay in a core's cache. In float32, fewer inputs also make
// partial sums, which round less.
template <typename T>
constexpr int64_t kInputs = sizeof(T) == 4 ? 256 : 1024;

// A block of rows and results, computed by one thread.
template <typename T>
class Block {
 public:
  Block(int64_t row, int64_t rows, int64_t first, int64_t count)
      : row_(row), rows_(rows), first_(first), count_(count) {
    const int64_t width = simd::padded(count);
    sums().resize(std::max<size_t>(sums().size(), rows * width));
    panel().resize(std::max<size_t>(panel().size(), kInputs<T> * width));
  }

  void add(const MatmulOperands& operands) {
    const at::Tensor &x = operands.x, &weight = operands.weight;
    const int64_t in = weight.size(1), width = simd::padded(count_);
    for (int64_t i = 0; i < in; i += kInputs<T>) {
      const int64_t inputs = std::min(kInputs<T>, in - i);
      const PackedLayout<T> layout{count_, inputs};
      pack_weights<T>(weight.const_data_ptr<T>() + first_ * weight.stride(0) + i, weight.stride(0),
                      layout, panel().data());
      for (int64_t row = 0; row < rows_; row += kRowsPerPanel) {
        layout.multiply({x.const_data_ptr<T>() + (row_ + row) * x.stride(0) + i, x.stride(0),
                         std::min(kRowsPerPanel, rows_ - row), inputs, nullptr, 0,
                         sums().data() + row * width, width, accumulate_},
                        panel().data(), 0, count_, 0);
      }
      accumulate_ = true;
    }
  }

  void finish(const T* bias, const T* residual, T* y, int64_t out) const {
    const int64_t offset = row_ * out + first_;
    kernels_.epilogue({sums().data(), simd::padded(count_), rows_, count_, nullptr,
                       bias ? bias + first_ : nullptr, residual ? residual + offset : nullptr,
                       y + offset, out});
  }

 private:
  // Kept by each thread: the system clears the pages of new blocks of this size.
  static std::vector<float>& sums() {
    thread_local std::vector<float> kept;
    return kept;
  }
  static std::vector<T>& panel() {
    thread_local std::vector<T> kept;
    return kept;
  }

  const simd::MatmulKernels<T>& kernels_ = simd::kernels().matmul<T>();
  int64_t row_, rows_, first_, count_;
  bool accumulate_ = false;
};

// A TorchScript file may pass any tensors.
void check(const std::vector<MatmulOperands>& operands, const std::optional<at::Tensor>& bias,
           const std::optional<at::Tensor>& residual, int64_t rows, int64_t out) {
  const auto dtype = operands[0].x.scalar_type();
  const auto is_matrix = [dtype](const at::Tensor& tensor, int64_t rows, int64_t columns) {
    return tensor.scalar_type() == dtype && tensor.dim() == 2 && tensor.size(0) == rows &&
           tensor.size(1) == columns && (columns == 1 || tensor.stride(1) == 1);
  };
  for (const auto& [x, weight] : operands) {
    TORCH_CHECK(weight.dim() == 2 && weight.size(1) > 0 && is_matrix(x, rows, weight.size(1)) &&
                    is_matrix(weight, out, weight.size(1)),
                "panel_matmul: expected rows [n, in] and weights [out, in] of one dtype, but "
                "received ",
                x.sizes(), " and ", weight.sizes());
  }
  TORCH_CHECK(
      !bias || (bias->scalar_type() == dtype && bias->is_contiguous() && bias->numel() == out),
      "panel_matmul: expected a bias of ", out, " numbers");
  TORCH_CHECK(!residual || (is_matrix(*residual, rows, out) && residual->is_contiguous()),
              "panel_matmul: expected a residual of [", rows, ", ", out, "]");
}

template <typename T>
void compute(const std::vector<MatmulOperands>& operands, const std::optional<at::Tensor>& bias,
             const std::optional<at::Tensor>& residual, const at::Tensor& y) {
  const int64_t rows = y.size(0), out = y.size(1), lanes = simd::kernels().lanes;
  int64_t in = 0;
  for (const MatmulOperands& each : operands) in += each.weight.size(1);
  const int64_t blocks = (rows + kRows - 1) / kRows, block = (rows + blocks - 1) / blocks;
  int64_t panel = kChannels;
  // Narrower panels if there would not be enough for all threads.
  while (panel > lanes && blocks * out < 3 * panel * at::get_num_threads()) panel /= 2;
  const int64_t panels = (out + panel - 1) / panel;
  const T* biases = bias ? bias->const_data_ptr<T>() : nullptr;
  const T* residuals = residual ? residual->const_data_ptr<T>() : nullptr;
  T* to = y.mutable_data_ptr<T>();
  parallel(blocks * panels, block * panel * in, [&](int64_t i) {
    const int64_t row = i / panels * block, first = i % panels * panel;
    if (row >= rows) return;
    Block<T> part(row, std::min(block, rows - row), first, std::min(panel, out - first));
    for (const MatmulOperands& each : operands) part.add(each);
    part.finish(biases, residuals, to, out);
  });
}

}  // namespace

template <typename T>
int64_t PackedLayout<T>::vectors() const {
  return simd::padded(out) / simd::kernels().lanes;
}
template <typename T>
int64_t PackedLayout<T>::padded_in() const {
  const int64_t group = simd::kernels().matmul<T>().group;
  return (in + group - 1) / group * group;
}
template <typename T>
int64_t PackedLayout<T>::size() const {
  return simd::padded(out) * padded_in();
}
template <typename T>
int64_t PackedLayout<T>::offset(int64_t v) const {
  const simd::MatmulKernels<T>& kernels = simd::kernels().matmul<T>();
  const int64_t panel = v / kernels.panel_vectors * kernels.panel_vectors;
  return simd::kernels().lanes * (panel * padded_in() + (v - panel) * kernels.group);
}
template <typename T>
int64_t PackedLayout<T>::stride(int64_t v) const {
  const simd::MatmulKernels<T>& kernels = simd::kernels().matmul<T>();
  const int64_t panel = v / kernels.panel_vectors * kernels.panel_vectors;
  const int64_t width = std::min(kernels.panel_vectors, vectors() - panel);
  return simd::kernels().lanes * kernels.group * width;
}
template <typename T>
void PackedLayout<T>::multiply(const simd::Matmul<T>& rows, const T* packed, int64_t channel,
                               int64_t channels, int64_t input) const {
  const simd::MatmulKernels<T>& kernels = simd::kernels().matmul<T>();
  const int64_t lanes = simd::kernels().lanes, first = channel / lanes;
  const int64_t count = simd::padded(channels) / lanes;
  simd::Matmul<T> panel = rows;
  for (int64_t v = 0; v < count; v += kernels.panel_vectors) {
    panel.weights = packed + offset(first + v) + input / kernels.group * stride(first + v);
    panel.vectors = std::min(kernels.panel_vectors, count - v);
    panel.sums = rows.sums + v * lanes;
    kernels.matmul(panel);
  }
}

template struct PackedLayout<float>;
template struct PackedLayout<at::BFloat16>;

template <typename T>
void pack_weights(const T* weights, int64_t stride, const PackedLayout<T>& layout, T* to) {
  const int64_t lanes = simd::kernels().lanes;
  for (int64_t v = 0; v < layout.vectors(); ++v) {
    const int64_t first = v * lanes;
    simd::kernels().matmul<T>().pack({weights + first * stride, stride,
                                      std::min(lanes, layout.out - first), layout.in,
                                      to + layout.offset(v), layout.stride(v)});
  }
}

template void pack_weights(const float*, int64_t, const PackedLayout<float>&, float*);
template void pack_weights(const at::BFloat16*, int64_t, const PackedLayout<at::BFloat16>&,
                           at::BFloat16*);

at::Tensor panel_matmul(const std::vector<MatmulOperands>& operands,
                        const std::optional<at::Tensor>& bias,
                        const std::optional<at::Tensor>& residual) {
  const int64_t rows = operands[0].x.size(0), out = operands[0].weight.size(0);
  at::Tensor y = at::empty({rows, out}, operands[0].x.options(), at::MemoryFormat::Contiguous);
  check(operands, bias, residual, rows, out);
  if (y.numel() == 0) return y;
  if (y.scalar_type() == at::kFloat) {
    compute<float>(operands, bias, residual, y);
  } else {
    compute<at::BFloat16>(operands, bias, residual, y);
  }
  return y;
}

}  // namespace karlo::ops::cpu
