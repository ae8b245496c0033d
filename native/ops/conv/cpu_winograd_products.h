#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <cstdint>

#include "ops/conv/cpu_workspace.h"
#include "simd/kernels.h"

namespace karlo::nets::cpu {

struct WinogradShape {
  bool doubled;     // of a picture that is doubled: nine components instead of sixteen
  int64_t in, out;  // channels
  int64_t columns;  // tiles of a row
  int64_t strip;    // rows of tiles that are worked on at once

  int64_t components() const { return doubled ? 9 : 16; }
  int64_t tiles() const { return strip * columns; }
};

// What was multiplied for some tiles of a strip and some output channels.
struct TileProducts {
  int64_t first, count;         // tiles
  int64_t channel, channels;    // the first, and how many
  const float* components[16];  // the first tile's
  int64_t stride;               // from a tile to the next
};
using UseProducts = c10::function_ref<void(const TileProducts&)>;

// Multiplies the components of tiles and weights in float32: LibTorch's matrix products.
class MatrixProducts {
 public:
  // What a row of tiles takes, and what the weights take, in the workspace.
  static int64_t row_bytes(const WinogradShape& shape);
  static int64_t weight_bytes(const WinogradShape& shape);
  // What a strip may take.
  static constexpr int64_t kStrip = int64_t{1} << 26;
  // Fewer pixels do not pay for the transformed weights.
  static constexpr int64_t kFewest = 1024;
  // Whether a tile's products are the same wherever it stands among the others.
  static constexpr bool kAnyPlace = false;

  MatrixProducts(const WinogradShape& shape, const at::Tensor& weight, Workspace& workspace);

  static void transform(const WinogradInput<float>& row);
  // [components, tiles of a strip, in]
  float* tiles() { return tiles_.mutable_data_ptr<float>(); }
  // Hands on the products of the first `count` tiles, on all threads.
  void run(int64_t count, UseProducts use);

 private:
  WinogradShape shape_;
  at::Tensor weights_;  // [components, out, in]
  at::Tensor tiles_, products_;
};

// The same in bfloat16, with pair_product.h's kernels: products are used while they are in a core's
// cache.
class PairProducts {
 public:
  static int64_t row_bytes(const WinogradShape& shape);
  static int64_t weight_bytes(const WinogradShape& shape);
  static constexpr int64_t kStrip = int64_t{1} << 23;
  static constexpr int64_t kFewest = 512;
  static constexpr bool kAnyPlace = true;

  PairProducts(const WinogradShape& shape, const at::Tensor& weight, Workspace& workspace);

  static void transform(const WinogradInput<at::BFloat16>& row);
  at::BFloat16* tiles() { return tiles_.mutable_data_ptr<at::BFloat16>(); }
  void run(int64_t count, UseProducts use);

 private:
  void pack(const at::BFloat16* weight);
  void multiply(TileProducts part, UseProducts use) const;

  WinogradShape shape_;
  at::Tensor weights_;  // [components, packed]
  at::Tensor tiles_;
};

}  // namespace karlo::nets::cpu
