#include "ops/conv/cpu_winograd_products.h"

#include <ATen/ops/bmm.h>

#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "ops/conv/cpu_gathered.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {
namespace {

using at::BFloat16;

// Tiles whose products with a panel of weights stay in a core's cache.
constexpr int64_t kTiles = 96;

}  // namespace

void MatrixProducts::transform(const WinogradInput<float>& row) { kernels().winograd.input(row); }

int64_t MatrixProducts::row_bytes(const WinogradShape& shape) {
  return shape.components() * (shape.in + shape.out) * shape.columns * sizeof(float);
}
int64_t MatrixProducts::weight_bytes(const WinogradShape& shape) {
  return shape.components() * shape.out * shape.in * sizeof(float);
}

MatrixProducts::MatrixProducts(const WinogradShape& shape, const at::Tensor& weight,
                               Workspace& workspace)
    : shape_(shape),
      weights_(workspace.take({shape.components(), shape.out, shape.in}, at::kFloat)),
      tiles_(workspace.take({shape.components(), shape.tiles(), shape.in}, at::kFloat)) {
  if (has_fast_products()) {
    products_ = workspace.take({shape.components(), shape.tiles(), shape.out}, at::kFloat);
  }
  const at::Tensor own = weight.to(at::kFloat).contiguous();
  const float* from = own.const_data_ptr<float>();
  float* to = weights_.mutable_data_ptr<float>();
  const int64_t in = shape.in, plane = shape.out * in;
  parallel(shape.out, 32 * in, [&](int64_t o) {
    kernels().winograd.weights(from + o * in * 9, in, shape.doubled, to + o * in, plane);
  });
}

void MatrixProducts::run(int64_t count, UseProducts use) {
  const int64_t components = shape_.components();
  std::vector<at::Tensor> products(components);
  if (products_.defined()) {
    at::Tensor all = products_.narrow(1, 0, count);
    at::bmm_out(all, tiles_.narrow(1, 0, count), weights_.transpose(1, 2));
    for (int64_t k = 0; k < components; ++k) products[k] = all[k];
  } else {
    for (int64_t k = 0; k < components; ++k) {
      products[k] = product_by_convolution(tiles_[k].narrow(0, 0, count), weights_[k], {});
    }
  }
  const int64_t columns = shape_.columns, out = shape_.out;
  parallel(count / columns, 32 * columns * out, [&](int64_t row) {
    TileProducts part{row * columns, columns, 0, out, {}, out};
    for (int64_t k = 0; k < components; ++k) {
      part.components[k] = products[k].const_data_ptr<float>() + part.first * out;
    }
    use(part);
  });
}

void PairProducts::transform(const WinogradInput<BFloat16>& row) {
  kernels().pairs.winograd.input(row);
}

int64_t PairProducts::row_bytes(const WinogradShape& shape) {
  return shape.components() * shape.in * shape.columns * sizeof(BFloat16);
}
int64_t PairProducts::weight_bytes(const WinogradShape& shape) {
  return shape.components() * packed_size(shape.out, shape.in) * sizeof(BFloat16);
}

PairProducts::PairProducts(const WinogradShape& shape, const at::Tensor& weight,
                           Workspace& workspace)
    : shape_(shape),
      weights_(
          workspace.take({shape.components(), packed_size(shape.out, shape.in)}, at::kBFloat16)),
      tiles_(workspace.take({shape.components(), shape.tiles(), shape.in}, at::kBFloat16)) {
  const at::Tensor own = weight.contiguous();
  pack(own.const_data_ptr<BFloat16>());
}

// A vector of output channels at a time, side by side in panels.
void PairProducts::pack(const BFloat16* weight) {
  const int64_t lanes = kernels().lanes, in = shape_.in;
  const int64_t components = shape_.components(), size = weights_.size(1);
  const int64_t vectors = (shape_.out + lanes - 1) / lanes;
  BFloat16* to = weights_.mutable_data_ptr<BFloat16>();
  parallel(vectors, 32 * in * lanes, [&](int64_t v) {
    thread_local std::vector<BFloat16> rows;  // kept: so large a piece would come anew
    rows.resize(components * lanes * in);
    const int64_t count = std::min(lanes, shape_.out - v * lanes);
    for (int64_t r = 0; r < count; ++r) {
      kernels().pairs.winograd.weights(weight + (v * lanes + r) * in * 9, in, shape_.doubled,
                                       rows.data() + r * in, lanes * in);
    }
    const PackedPlace place = packed_place(v, vectors, in);
    for (int64_t k = 0; k < components; ++k) {
      kernels().pairs.pack(
          {rows.data() + k * lanes * in, in, count, in, to + k * size + place.at, place.step});
    }
  });
}

void PairProducts::run(int64_t count, UseProducts use) {
  const int64_t groups = (count + kTiles - 1) / kTiles, group = (count + groups - 1) / groups;
  const int64_t panel = kPanel * kernels().lanes, panels = (shape_.out + panel - 1) / panel;
  // One panel after the other, so that its weights stay in the cache.
  parallel(panels * groups, shape_.components() * group * shape_.in * panel, [&](int64_t i) {
    const int64_t first = i % groups * group, channel = i / groups * panel;
    if (first >= count) return;
    multiply({first,
              std::min(group, count - first),
              channel,
              std::min(panel, shape_.out - channel),
              {},
              0},
             use);
  });
}

void PairProducts::multiply(TileProducts part, UseProducts use) const {
  const int64_t lanes = kernels().lanes, in = shape_.in, pairs = (in + 1) / 2;
  const int64_t vectors = (part.channels + lanes - 1) / lanes;
  part.stride = vectors * lanes;
  thread_local std::vector<float> products;  // kept: so large a piece would come anew
  products.resize(shape_.components() * kTiles * kPanel * lanes);
  const BFloat16* tiles = tiles_.const_data_ptr<BFloat16>() + part.first * in;
  const BFloat16* weights = weights_.const_data_ptr<BFloat16>() + 2 * pairs * part.channel;
  for (int64_t k = 0; k < shape_.components(); ++k) {
    float* sums = products.data() + k * part.count * part.stride;
    kernels().pairs.product({tiles + k * shape_.tiles() * in, in, part.count, in,
                             weights + k * weights_.size(1), vectors, sums, part.stride, false});
    part.components[k] = sums;
  }
  use(part);
}

}  // namespace karlo::nets::cpu
