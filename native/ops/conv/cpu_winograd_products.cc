#include "ops/conv/cpu_winograd_products.h"

#include <ATen/ops/bmm.h>

#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "ops/conv/cpu_gathered.h"
#include "ops/linear/cpu_bf16_matmul.h"
#include "simd/cpu_features.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

using at::BFloat16;

// Tiles whose products with a panel of weights stay in a core's cache.
constexpr int64_t kTiles = 96;

}  // namespace

void FloatProducts::transform(const simd::WinogradInput<float>& row) {
  simd::kernels().winograd.transform_input(row);
}

int64_t FloatProducts::row_bytes(const WinogradShape& shape) {
  return shape.components() * (shape.in + shape.out) * shape.columns * sizeof(float);
}
int64_t FloatProducts::weight_bytes(const WinogradShape& shape) {
  return shape.components() * shape.out * shape.in * sizeof(float);
}

FloatProducts::FloatProducts(const WinogradShape& shape, const at::Tensor& weight,
                             Workspace& workspace)
    : shape_(shape),
      weights_(workspace.take({shape.components(), shape.out, shape.in}, at::kFloat)),
      tiles_(workspace.take({shape.components(), shape.tiles(), shape.in}, at::kFloat)) {
  if (simd::has_fast_matmul()) {
    products_ = workspace.take({shape.components(), shape.tiles(), shape.out}, at::kFloat);
  }
  const at::Tensor floats = weight.to(at::kFloat).contiguous();
  const float* from = floats.const_data_ptr<float>();
  float* to = weights_.mutable_data_ptr<float>();
  const int64_t in = shape.in, component_stride = shape.out * in;
  parallel(shape.out, 32 * in, [&](int64_t o) {
    simd::kernels().winograd.transform_weights(from + o * in * 9, in, shape.upsampled, to + o * in,
                                               component_stride);
  });
}

void FloatProducts::run(int64_t count, UseProducts use) {
  const int64_t components = shape_.components();
  std::vector<at::Tensor> products(components);
  if (products_.defined()) {
    at::Tensor all = products_.narrow(1, 0, count);
    at::bmm_out(all, tiles_.narrow(1, 0, count), weights_.transpose(1, 2));
    for (int64_t k = 0; k < components; ++k) products[k] = all[k];
  } else {
    for (int64_t k = 0; k < components; ++k) {
      products[k] = matmul_by_conv(tiles_[k].narrow(0, 0, count), weights_[k], {});
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

void Bf16Products::transform(const simd::WinogradInput<BFloat16>& row) {
  simd::kernels().bf16_dot.winograd.transform_input(row);
}

int64_t Bf16Products::row_bytes(const WinogradShape& shape) {
  return shape.components() * shape.in * shape.columns * sizeof(BFloat16);
}
int64_t Bf16Products::weight_bytes(const WinogradShape& shape) {
  return shape.components() * packed_size(shape.out, shape.in) * sizeof(BFloat16);
}

Bf16Products::Bf16Products(const WinogradShape& shape, const at::Tensor& weight,
                           Workspace& workspace)
    : shape_(shape),
      weights_(
          workspace.take({shape.components(), packed_size(shape.out, shape.in)}, at::kBFloat16)),
      tiles_(workspace.take({shape.components(), shape.tiles(), shape.in}, at::kBFloat16)) {
  const at::Tensor contiguous = weight.contiguous();
  pack(contiguous.const_data_ptr<BFloat16>());
}

// Transforms and packs a vector of output channels at a time.
void Bf16Products::pack(const BFloat16* weight) {
  const int64_t lanes = simd::kernels().lanes, in = shape_.in;
  const int64_t components = shape_.components(), size = weights_.size(1);
  const int64_t vectors = simd::padded(shape_.out) / lanes;
  BFloat16* to = weights_.mutable_data_ptr<BFloat16>();
  parallel(vectors, 32 * in * lanes, [&](int64_t v) {
    thread_local std::vector<BFloat16> rows;  // kept: the system clears the pages of a new block
    rows.resize(components * lanes * in);
    const int64_t count = std::min(lanes, shape_.out - v * lanes);
    for (int64_t r = 0; r < count; ++r) {
      simd::kernels().bf16_dot.winograd.transform_weights(weight + (v * lanes + r) * in * 9, in,
                                                          shape_.upsampled, rows.data() + r * in,
                                                          lanes * in);
    }
    const PackedVector packed = packed_vector(v, vectors, in);
    for (int64_t k = 0; k < components; ++k) {
      simd::kernels().bf16_dot.pack({rows.data() + k * lanes * in, in, count, in,
                                     to + k * size + packed.offset, packed.stride});
    }
  });
}

void Bf16Products::run(int64_t count, UseProducts use) {
  const int64_t groups = (count + kTiles - 1) / kTiles, group = (count + groups - 1) / groups;
  const int64_t panel = kPanelVectors * simd::kernels().lanes;
  const int64_t panels = (shape_.out + panel - 1) / panel;
  // Panel by panel, so that the weights of a panel stay in the cache.
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

void Bf16Products::multiply(TileProducts part, UseProducts use) const {
  const int64_t lanes = simd::kernels().lanes, in = shape_.in, pairs = (in + 1) / 2;
  const int64_t vectors = simd::padded(part.channels) / lanes;
  part.stride = vectors * lanes;
  thread_local std::vector<float> products;  // kept: the system clears the pages of a new block
  products.resize(shape_.components() * kTiles * kPanelVectors * lanes);
  const BFloat16* tiles = tiles_.const_data_ptr<BFloat16>() + part.first * in;
  const BFloat16* weights = weights_.const_data_ptr<BFloat16>() + 2 * pairs * part.channel;
  for (int64_t k = 0; k < shape_.components(); ++k) {
    float* sums = products.data() + k * part.count * part.stride;
    simd::kernels().bf16_dot.matmul({tiles + k * shape_.tiles() * in, in, part.count, in,
                                     weights + k * weights_.size(1), vectors, sums, part.stride,
                                     false});
    part.components[k] = sums;
  }
  use(part);
}

}  // namespace karlo::ops::cpu
