#include "ops/linear/cpu_bf16_matmul.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/parallel.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

using at::BFloat16;

// Rows and inputs per pass: their sums and packed weights stay in a core's cache.
constexpr int64_t kRows = 1024;
constexpr int64_t kInputs = 1024;

int64_t vectors_of(int64_t count) { return simd::padded(count) / simd::kernels().lanes; }

// A block of rows and results, computed by one thread.
class Block {
 public:
  Block(int64_t row, int64_t rows, int64_t first, int64_t count)
      : row_(row), rows_(rows), first_(first), count_(count), vectors_(vectors_of(count)) {
    const int64_t width = simd::padded(count);
    sums().resize(std::max<size_t>(sums().size(), rows * width));
    panel().resize(std::max<size_t>(panel().size(), kInputs * width));
  }

  void add(const MatmulOperands& operands) {
    const at::Tensor &x = operands.x, &weight = operands.weight;
    const int64_t in = weight.size(1);
    for (int64_t i = 0; i < in; i += kInputs) {
      const int64_t inputs = std::min(kInputs, in - i);
      pack_bf16(weight.const_data_ptr<BFloat16>() + first_ * weight.stride(0) + i, weight.stride(0),
                count_, inputs, panel().data());
      simd::kernels().bf16_dot.matmul(
          {x.const_data_ptr<BFloat16>() + row_ * x.stride(0) + i, x.stride(0), rows_, inputs,
           panel().data(), vectors_, sums().data(), vectors_ * simd::kernels().lanes, accumulate_});
      accumulate_ = true;
    }
  }

  void finish(const BFloat16* bias, const BFloat16* residual, BFloat16* y, int64_t out) const {
    const int64_t offset = row_ * out + first_;
    simd::kernels().bf16_dot.epilogue({sums().data(), vectors_ * simd::kernels().lanes, rows_,
                                       count_, nullptr, bias ? bias + first_ : nullptr,
                                       residual ? residual + offset : nullptr, y + offset, out});
  }

 private:
  // Kept by each thread: the system clears the pages of new blocks of this size.
  static std::vector<float>& sums() {
    thread_local std::vector<float> kept;
    return kept;
  }
  static std::vector<BFloat16>& panel() {
    thread_local std::vector<BFloat16> kept;
    return kept;
  }

  int64_t row_, rows_, first_, count_, vectors_;
  bool accumulate_ = false;
};

bool is_matrix(const at::Tensor& tensor, int64_t rows, int64_t columns) {
  return tensor.scalar_type() == at::kBFloat16 && tensor.dim() == 2 && tensor.size(0) == rows &&
         tensor.size(1) == columns && (columns == 1 || tensor.stride(1) == 1);
}

// A TorchScript file may pass any tensors.
void check(const std::vector<MatmulOperands>& operands, const std::optional<at::Tensor>& bias,
           const std::optional<at::Tensor>& residual, int64_t rows, int64_t out) {
  for (const auto& [x, weight] : operands) {
    TORCH_CHECK(weight.dim() == 2 && weight.size(1) > 0 && is_matrix(x, rows, weight.size(1)) &&
                    is_matrix(weight, out, weight.size(1)),
                "bf16_matmul: expected bfloat16 rows [n, in] and weights [out, in], but received ",
                x.sizes(), " and ", weight.sizes());
  }
  TORCH_CHECK(!bias || (bias->scalar_type() == at::kBFloat16 && bias->is_contiguous() &&
                        bias->numel() == out),
              "bf16_matmul: expected a bias of ", out, " numbers");
  TORCH_CHECK(!residual || (is_matrix(*residual, rows, out) && residual->is_contiguous()),
              "bf16_matmul: expected a residual of [", rows, ", ", out, "]");
}

}  // namespace

int64_t packed_size(int64_t out, int64_t in) { return simd::padded(out) * ((in + 1) / 2 * 2); }

PackedVector packed_vector(int64_t v, int64_t vectors, int64_t in) {
  const int64_t numbers = 2 * simd::kernels().lanes, pairs = (in + 1) / 2;
  const int64_t panel = v / kPanelVectors * kPanelVectors;
  return {numbers * (panel * pairs + v - panel),
          numbers * std::min(kPanelVectors, vectors - panel)};
}

void pack_bf16(const BFloat16* weights, int64_t stride, int64_t out, int64_t in, BFloat16* to) {
  const int64_t lanes = simd::kernels().lanes, vectors = vectors_of(out);
  for (int64_t v = 0; v < vectors; ++v) {
    const int64_t first = v * lanes;
    const PackedVector packed = packed_vector(v, vectors, in);
    simd::kernels().bf16_dot.pack({weights + first * stride, stride, std::min(lanes, out - first),
                                   in, to + packed.offset, packed.stride});
  }
}

at::Tensor bf16_matmul(const std::vector<MatmulOperands>& operands,
                       const std::optional<at::Tensor>& bias,
                       const std::optional<at::Tensor>& residual) {
  const int64_t rows = operands[0].x.size(0), out = operands[0].weight.size(0);
  at::Tensor y = at::empty({rows, out}, operands[0].x.options(), at::MemoryFormat::Contiguous);
  check(operands, bias, residual, rows, out);
  if (y.numel() == 0) return y;
  int64_t in = 0;
  for (const MatmulOperands& each : operands) in += each.weight.size(1);
  const int64_t blocks = (rows + kRows - 1) / kRows, block = (rows + blocks - 1) / blocks;
  int64_t panel = kPanelVectors * simd::kernels().lanes;
  // Narrower panels if there would not be enough for all threads.
  while (panel > simd::kernels().lanes && blocks * out < 3 * panel * at::get_num_threads()) {
    panel /= 2;
  }
  const int64_t panels = (out + panel - 1) / panel;
  const BFloat16* biases = bias ? bias->const_data_ptr<BFloat16>() : nullptr;
  const BFloat16* residuals = residual ? residual->const_data_ptr<BFloat16>() : nullptr;
  BFloat16* to = y.mutable_data_ptr<BFloat16>();
  parallel(blocks * panels, block * panel * in, [&](int64_t i) {
    const int64_t row = i / panels * block, first = i % panels * panel;
    if (row >= rows) return;
    Block part(row, std::min(block, rows - row), first, std::min(panel, out - first));
    for (const MatmulOperands& each : operands) part.add(each);
    part.finish(biases, residuals, to, out);
  });
  return y;
}

}  // namespace karlo::ops::cpu
