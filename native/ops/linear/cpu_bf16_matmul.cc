#include "ops/linear/cpu_bf16_matmul.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "core/parallel.h"
#include "ops/conv/cpu_direct.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

using at::BFloat16;

// Rows and inputs that are worked on at once: their sums and packed weights stay in a core's cache.
constexpr int64_t kRows = 1024;
constexpr int64_t kInputs = 1024;

// Some of the rows times some of the results, on one thread.
class Part {
 public:
  Part(int64_t row, int64_t rows, int64_t first, int64_t count)
      : row_(row), rows_(rows), first_(first), count_(count) {
    const int64_t lanes = kernels().lanes;
    vectors_ = padded(count) / lanes;
    sums().resize(std::max<size_t>(sums().size(), rows * vectors_ * lanes));
    panel().resize(std::max<size_t>(panel().size(), kInputs * vectors_ * lanes));
  }

  void add(const PairFactors& factors) {
    const at::Tensor &x = factors.x, &weight = factors.weight;
    const int64_t in = weight.size(1);
    for (int64_t i = 0; i < in; i += kInputs) {
      const int64_t inputs = std::min(kInputs, in - i);
      pack(weight.const_data_ptr<BFloat16>() + first_ * weight.stride(0) + i, weight.stride(0),
           count_, inputs, panel().data());
      kernels().pairs.product({x.const_data_ptr<BFloat16>() + row_ * x.stride(0) + i, x.stride(0),
                               rows_, inputs, panel().data(), vectors_, sums().data(),
                               vectors_ * kernels().lanes, added_});
      added_ = true;
    }
  }

  void finish(const BFloat16* bias, const BFloat16* residual, BFloat16* y, int64_t out) const {
    const int64_t at = row_ * out + first_;
    kernels().pairs.finish({sums().data(), vectors_ * kernels().lanes, rows_, count_, nullptr,
                            bias ? bias + first_ : nullptr, residual ? residual + at : nullptr,
                            y + at, out});
  }

 private:
  // Kept: such large pieces would come from the system anew.
  static std::vector<float>& sums() {
    thread_local std::vector<float> kept;
    return kept;
  }
  static std::vector<BFloat16>& panel() {
    thread_local std::vector<BFloat16> kept;
    return kept;
  }

  int64_t row_, rows_, first_, count_, vectors_;
  bool added_ = false;
};

bool is_matrix(const at::Tensor& tensor, int64_t rows, int64_t columns) {
  return tensor.scalar_type() == at::kBFloat16 && tensor.dim() == 2 && tensor.size(0) == rows &&
         tensor.size(1) == columns && (columns == 1 || tensor.stride(1) == 1);
}

// A TorchScript file may hand on anything.
void check(const std::vector<PairFactors>& factors, const std::optional<at::Tensor>& bias,
           const std::optional<at::Tensor>& residual, int64_t rows, int64_t out) {
  for (const auto& [x, weight] : factors) {
    TORCH_CHECK(weight.dim() == 2 && weight.size(1) > 0 && is_matrix(x, rows, weight.size(1)) &&
                    is_matrix(weight, out, weight.size(1)),
                "product: expected bfloat16 rows [n, in] and weights [out, in], but received ",
                x.sizes(), " and ", weight.sizes());
  }
  TORCH_CHECK(!bias || (bias->scalar_type() == at::kBFloat16 && bias->is_contiguous() &&
                        bias->numel() == out),
              "product: expected a bias of ", out, " numbers");
  TORCH_CHECK(!residual || (is_matrix(*residual, rows, out) && residual->is_contiguous()),
              "product: expected a residual of [", rows, ", ", out, "]");
}

}  // namespace

int64_t packed_size(int64_t out, int64_t in) { return padded(out) * ((in + 1) / 2 * 2); }

PackedPlace packed_place(int64_t v, int64_t vectors, int64_t in) {
  const int64_t numbers = 2 * kernels().lanes, pairs = (in + 1) / 2;
  const int64_t panel = v / kPanel * kPanel, width = std::min(kPanel, vectors - panel);
  return {numbers * (panel * pairs + v - panel), numbers * width};
}

void pack(const BFloat16* weights, int64_t stride, int64_t out, int64_t in, BFloat16* to) {
  const int64_t lanes = kernels().lanes, vectors = padded(out) / lanes;
  for (int64_t v = 0; v < vectors; ++v) {
    const int64_t first = v * lanes;
    const PackedPlace place = packed_place(v, vectors, in);
    kernels().pairs.pack({weights + first * stride, stride, std::min(lanes, out - first), in,
                          to + place.at, place.step});
  }
}

at::Tensor pair_product(const std::vector<PairFactors>& factors,
                        const std::optional<at::Tensor>& bias,
                        const std::optional<at::Tensor>& residual) {
  const int64_t rows = factors[0].x.size(0), out = factors[0].weight.size(0);
  at::Tensor y = at::empty({rows, out}, factors[0].x.options(), at::MemoryFormat::Contiguous);
  check(factors, bias, residual, rows, out);
  if (y.numel() == 0) return y;
  int64_t in = 0;
  for (const PairFactors& each : factors) in += each.weight.size(1);
  const int64_t blocks = (rows + kRows - 1) / kRows, block = (rows + blocks - 1) / blocks;
  int64_t panel = kPanel * kernels().lanes;
  // Fewer results at a time, where there would not be enough for all threads.
  while (panel > kernels().lanes && blocks * out < 3 * panel * at::get_num_threads()) panel /= 2;
  const int64_t panels = (out + panel - 1) / panel;
  const BFloat16* biases = bias ? bias->const_data_ptr<BFloat16>() : nullptr;
  const BFloat16* more = residual ? residual->const_data_ptr<BFloat16>() : nullptr;
  BFloat16* to = y.mutable_data_ptr<BFloat16>();
  parallel(blocks * panels, block * panel * in, [&](int64_t i) {
    const int64_t row = i / panels * block, first = i % panels * panel;
    if (row >= rows) return;
    Part part(row, std::min(block, rows - row), first, std::min(panel, out - first));
    for (const PairFactors& each : factors) part.add(each);
    part.finish(biases, more, to, out);
  });
  return y;
}

}  // namespace karlo::nets::cpu
