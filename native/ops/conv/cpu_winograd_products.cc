#include "ops/conv/cpu_winograd_products.h"

#include <ATen/ops/bmm.h>

#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// Tiles whose products with a panel of weights stay in a core's cache.
int64_t cached_tiles(const WinogradShape& shape) {
  return std::min<int64_t>(96, 2304 / shape.components());
}
// Inputs whose weights do. In float32, fewer inputs also make partial sums, which round less.
template <typename T>
constexpr int64_t kInputs = sizeof(T) == 4 ? 256 : int64_t{1} << 20;

}  // namespace

int64_t LibTorchProducts::row_bytes(const WinogradShape& shape) {
  return shape.components() * (shape.in + shape.out) * shape.columns * sizeof(float);
}
int64_t LibTorchProducts::weight_bytes(const WinogradShape& shape) {
  return shape.components() * shape.out * shape.in * sizeof(float);
}

LibTorchProducts::LibTorchProducts(const WinogradShape& shape, const at::Tensor& weight,
                                   Workspace& workspace)
    : shape_(shape),
      weights_(workspace.take({shape.components(), shape.out, shape.in}, at::kFloat)),
      tiles_(workspace.take({shape.components(), shape.tiles(), shape.in}, at::kFloat)),
      products_(workspace.take({shape.components(), shape.tiles(), shape.out}, at::kFloat)) {
  const at::Tensor floats = weight.to(at::kFloat).contiguous();
  const float* from = floats.const_data_ptr<float>();
  float* to = weights_.mutable_data_ptr<float>();
  const int64_t in = shape.in, component_stride = shape.out * in;
  parallel(shape.out, 2 * shape.components() * in, [&](int64_t o) {
    simd::kernels().winograd_float.transform_weights(from + o * in * 9, in, shape.tile, to + o * in,
                                                     component_stride);
  });
}

void LibTorchProducts::run(int64_t count, UseProducts use) {
  at::Tensor products = products_.narrow(1, 0, count);
  at::bmm_out(products, tiles_.narrow(1, 0, count), weights_.transpose(1, 2));
  const int64_t columns = shape_.columns, out = shape_.out;
  parallel(count / columns, 2 * shape_.components() * columns * out, [&](int64_t row) {
    TileProducts part{row * columns, columns, 0, out, {}, out};
    for (int64_t k = 0; k < shape_.components(); ++k) {
      part.components[k] =
          products_.const_data_ptr<float>() + (k * shape_.tiles() + part.first) * out;
    }
    use(part);
  });
}

template <typename T>
int64_t PanelProducts<T>::row_bytes(const WinogradShape& shape) {
  return shape.components() * shape.in * shape.columns * sizeof(T);
}
template <typename T>
int64_t PanelProducts<T>::weight_bytes(const WinogradShape& shape) {
  return shape.components() * PackedLayout<T>{shape.out, shape.in}.size() * sizeof(T);
}

template <typename T>
PanelProducts<T>::PanelProducts(const WinogradShape& shape, const at::Tensor& weight,
                                Workspace& workspace)
    : shape_(shape),
      layout_{shape.out, shape.in},
      weights_(
          workspace.take({shape.components(), layout_.size()}, c10::CppTypeToScalarType<T>::value)),
      tiles_(workspace.take({shape.components(), shape.tiles(), shape.in},
                            c10::CppTypeToScalarType<T>::value)) {
  const at::Tensor contiguous = weight.to(c10::CppTypeToScalarType<T>::value).contiguous();
  pack(contiguous.const_data_ptr<T>());
}

// Transforms and packs a vector of output channels at a time.
template <typename T>
void PanelProducts<T>::pack(const T* weight) {
  const int64_t lanes = simd::kernels().lanes, in = shape_.in;
  const int64_t components = shape_.components(), size = weights_.size(1);
  T* to = weights_.mutable_data_ptr<T>();
  parallel(layout_.vectors(), 2 * components * in * lanes, [&](int64_t v) {
    thread_local std::vector<T> rows;  // kept: the system clears the pages of a new block
    rows.resize(components * lanes * in);
    const int64_t count = std::min(lanes, shape_.out - v * lanes);
    for (int64_t r = 0; r < count; ++r) {
      simd::kernels().winograd<T>().transform_weights(
          weight + (v * lanes + r) * in * 9, in, shape_.tile, rows.data() + r * in, lanes * in);
    }
    for (int64_t k = 0; k < components; ++k) {
      simd::kernels().matmul<T>().pack({rows.data() + k * lanes * in, in, count, in,
                                        to + k * size + layout_.offset(v), layout_.stride(v)});
    }
  });
}

template <typename T>
void PanelProducts<T>::run(int64_t count, UseProducts use) {
  const int64_t most = cached_tiles(shape_);
  const int64_t groups = (count + most - 1) / most, group = (count + groups - 1) / groups;
  const int64_t parts = (shape_.out + kChannels - 1) / kChannels;
  // Channels by channels, so that their weights stay in the cache.
  parallel(parts * groups, shape_.components() * group * shape_.in * kChannels, [&](int64_t i) {
    const int64_t first = i % groups * group, channel = i / groups * kChannels;
    if (first >= count) return;
    multiply({first,
              std::min(group, count - first),
              channel,
              std::min(kChannels, shape_.out - channel),
              {},
              0},
             use);
  });
}

template <typename T>
void PanelProducts<T>::multiply(TileProducts part, UseProducts use) const {
  const int64_t in = shape_.in;
  part.stride = simd::padded(part.channels);
  thread_local std::vector<float> products;  // kept: the system clears the pages of a new block
  products.resize(shape_.components() * part.count * part.stride);
  const T* tiles = tiles_.template const_data_ptr<T>() + part.first * in;
  for (int64_t k = 0; k < shape_.components(); ++k) {
    float* sums = products.data() + k * part.count * part.stride;
    const T* weights = weights_.template const_data_ptr<T>() + k * weights_.size(1);
    for (int64_t i = 0; i < in; i += kInputs<T>) {
      layout_.multiply({tiles + k * shape_.tiles() * in + i, in, part.count,
                        std::min(kInputs<T>, in - i), nullptr, 0, sums, part.stride, i > 0},
                       weights, part.channel, part.channels, i);
    }
    part.components[k] = sums;
  }
  use(part);
}

template class PanelProducts<float>;
template class PanelProducts<at::BFloat16>;

}  // namespace karlo::ops::cpu
