#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <cstdint>
#include <limits>

#include "ops/conv/cpu_workspace.h"
#include "ops/linear/cpu_panel_matmul.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {

struct WinogradShape {
  simd::WinogradTile tile;
  int64_t in, out;  // channels
  int64_t columns;  // tiles per row
  int64_t strip;    // rows of tiles that are computed at once

  int64_t components() const { return simd::winograd_components(tile); }
  int64_t tiles() const { return strip * columns; }
};

// The products of some tiles of a strip and some output channels.
struct TileProducts {
  int64_t first, count;         // tiles
  int64_t channel, channels;    // the first output channel, and how many
  const float* components[36];  // the first tile's
  int64_t stride;               // from one tile to the next
};
using UseProducts = c10::function_ref<void(const TileProducts&)>;

// Multiplies the components of tiles and weights in float32, with LibTorch's matrix products: the
// fastest if has_fast_matmul().
class LibTorchProducts {
 public:
  using Component = float;
  // Bytes of the workspace that a row of tiles takes, and that the weights take.
  static int64_t row_bytes(const WinogradShape& shape);
  static int64_t weight_bytes(const WinogradShape& shape);
  // Bytes that the tiles of a strip may take.
  static constexpr int64_t kStripBytes = int64_t{1} << 26;
  // With fewer pixels, transforming the weights takes longer than the transform saves.
  static constexpr int64_t kMinPixels = 1024;
  // Never: its sums of all inputs round too much.
  static constexpr int64_t kMinPixels4x4 = std::numeric_limits<int64_t>::max();
  // Whether a tile's products do not depend on its position in the strip.
  static constexpr bool kPositionIndependent = false;

  LibTorchProducts(const WinogradShape& shape, const at::Tensor& weight, Workspace& workspace);

  // [components, tiles of a strip, in]
  float* tiles() { return tiles_.mutable_data_ptr<float>(); }
  // Passes the products of the first `count` tiles to `use`, on all threads.
  void run(int64_t count, UseProducts use);

 private:
  WinogradShape shape_;
  at::Tensor weights_;  // [components, out, in]
  at::Tensor tiles_, products_;
};

// The same with the kernels for packed weights, in float32 or in bfloat16. Products are used while
// they are in a core's cache.
template <typename T>
class PanelProducts {
 public:
  using Component = T;
  static int64_t row_bytes(const WinogradShape& shape);
  static int64_t weight_bytes(const WinogradShape& shape);
  static constexpr int64_t kStripBytes = int64_t{1} << 23;
  static constexpr int64_t kMinPixels = 512;
  // With fewer, transforming the weights takes longer; bfloat16 rounds too much.
  static constexpr int64_t kMinPixels4x4 =
      sizeof(T) == 4 ? 4096 : std::numeric_limits<int64_t>::max();
  static constexpr bool kPositionIndependent = true;

  PanelProducts(const WinogradShape& shape, const at::Tensor& weight, Workspace& workspace);

  T* tiles() { return tiles_.template mutable_data_ptr<T>(); }
  void run(int64_t count, UseProducts use);

 private:
  void pack(const T* weight);
  void multiply(TileProducts part, UseProducts use) const;

  WinogradShape shape_;
  PackedLayout<T> layout_;
  at::Tensor weights_;  // [components, packed]
  at::Tensor tiles_;
};

}  // namespace karlo::ops::cpu
