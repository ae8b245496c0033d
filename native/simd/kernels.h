#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <vector>

// The inner loops of the CPU operators. They are compiled once per instruction set (base.cc,
// avx2.cc, neon.cc, ...); kernels() returns those for this processor.
namespace karlo::simd {

// The input of one kernel position of a convolution: the pixel for the first output pixel of a row,
// followed by those for the next ones.
struct Tap {
  const float* pixels;
  int64_t channels;
  int64_t stride;  // floats from one pixel to the next
};

// A row of output pixels: bias + the sum of the taps' pixels times their weights + residual.
struct ConvRow {
  const Tap* taps;
  int64_t tap_count;
  int64_t width;          // pixels
  float* y;               // the first pixel
  int64_t y_stride;       // floats from one pixel of y to the next
  const float* residual;  // [width, out], or null
  const float* weights;   // packed by pack_taps() in ops/conv/cpu_direct.h
  const float* bias;      // [out], padded to whole vectors
  int64_t out;            // channels of y
};

// The tiles of a Winograd convolution of 3x3 pixels.
enum class WinogradTile {
  k2x2,        // F(2x2, 3x3)
  k4x4,        // F(4x4, 3x3)
  kUpsampled,  // 2x2 pixels of an image that is upsampled first
};

// Input pixels of a tile in each dimension. Its square is the number of components, each of which
// takes one multiplication.
constexpr int winograd_size(WinogradTile tile) {
  return tile == WinogradTile::k4x4 ? 6 : tile == WinogradTile::k2x2 ? 4 : 3;
}
constexpr int winograd_components(WinogradTile tile) {
  return winograd_size(tile) * winograd_size(tile);
}
// Output pixels of a tile in each dimension.
constexpr int winograd_output(WinogradTile tile) { return tile == WinogradTile::k4x4 ? 4 : 2; }
// Input pixels from one tile to the next.
constexpr int winograd_step(WinogradTile tile) {
  return tile == WinogradTile::kUpsampled ? 1 : winograd_output(tile);
}

// A row of output tiles of a Winograd convolution.
template <typename T>
struct WinogradOutput {
  WinogradTile tile;
  const float* products[36];  // of the first tile, by component
  int64_t product_stride;     // from one tile to the next
  int64_t tiles, channels;
  const float* bias;     // [channels]
  const T* residual[4];  // the rows of pixels to add, or null
  T* y[4];               // the rows of output pixels
  int64_t pixel_stride;  // of residual and y
};

// A row of input tiles of a Winograd convolution.
template <typename Component>
struct WinogradInput {
  WinogradTile tile;
  const float* rows[6];  // of pixels, starting with the first tile's first pixel
  int64_t tiles, channels;
  Component* components;     // [components, *, channels]: the first tile's first component
  int64_t component_stride;  // from one component to the next
  int64_t tile_stride;       // from one tile to the next
};

// The transforms of a Winograd convolution whose products are computed in the type `Component`.
template <typename Component>
struct WinogradKernels {
  void (*transform_input)(const WinogradInput<Component>& row);
  // Transforms the 3x3 weights of one output channel and `count` input channels to `components`,
  // [components, *], which are `component_stride` apart.
  void (*transform_weights)(const Component* weights, int64_t count, WinogradTile tile,
                            Component* components, int64_t component_stride);
};

// Matrix products multiply rows with packed weights: panels of a few vectors of results, in which a
// vector has one weight of each result, or, in bfloat16, two neighboring ones.

// Up to `lanes` rows of weights, packed for Matmul. Missing rows and inputs are zeros.
template <typename T>
struct Packing {
  const T* weights;       // [rows, in]
  int64_t weight_stride;  // from one row to the next
  int64_t rows, in;
  T* packed;              // the first vector
  int64_t packed_stride;  // from one vector to the next
};

// Rows of x times packed weights.
template <typename T>
struct Matmul {
  const T* x;        // [rows, in]
  int64_t x_stride;  // from one row to the next
  int64_t rows, in;
  const T* weights;     // for each group of inputs, `vectors` vectors
  int64_t vectors;      // 1 to panel_vectors
  float* sums;          // [rows, vectors * lanes]
  int64_t sums_stride;  // from one row to the next
  bool accumulate;      // adds to `sums` instead of overwriting them
};

// Converts sums to results: sums * scale + bias + residual.
template <typename T>
struct Epilogue {
  const float* sums;    // [rows, *]
  int64_t sums_stride;  // from one row to the next
  int64_t rows, count;
  const float* scales;  // [rows], or null
  const T* bias;        // [count], or null
  const T* residual;    // strided like y, or null
  T* y;                 // [rows, count]
  int64_t y_stride;     // from one row to the next
};

template <typename T>
struct MatmulKernels {
  int64_t group;          // neighboring inputs that are multiplied at once
  int64_t panel_vectors;  // the most vectors of a panel
  void (*pack)(const Packing<T>& packing);
  // The same for transposed weights, [in, rows]: `weight_stride` is from one input to the next.
  void (*pack_transposed)(const Packing<T>& packing);
  void (*matmul)(const Matmul<T>& matmul);
  void (*epilogue)(const Epilogue<T>& epilogue);
};

// The numerators of softmax(logits * scale + bias), and the reciprocal of each row's sum.
struct Bf16Softmax {
  float* logits;        // [rows, width], overwritten
  int64_t rows, width;  // a multiple of `lanes`
  float scale;
  const float* bias;       // [width]
  c10::BFloat16* y;        // [rows, width]
  float* reciprocal_sums;  // [rows]
};

// Kernels with an instruction (VDPBF16PS on x86, BFDOT and BFMMLA on Arm) that multiplies
// neighboring bfloat16 numbers and adds their products to a float32 sum.
struct Bf16DotKernels {
  MatmulKernels<c10::BFloat16> matmul;
  void (*softmax)(const Bf16Softmax& softmax);
  WinogradKernels<c10::BFloat16> winograd;
};

// A matrix product with few rows of x, which takes as long as reading the weights.
template <typename T>
struct SkinnyMatmul {
  const T* x;  // [rows, in]
  int64_t rows, in;
  const T* weights;  // [out, in]
  int64_t out;
  const T* bias;     // [out], or null
  T* y;              // the first row's first result
  int64_t y_stride;  // from one row to the next
  float* scratch;    // [rows, in]; for bfloat16 without bf16_dot only
};

// A norm of rows, per channel: (x - center) * scale + bias. Without a center, x * scale and bias
// would cancel where the mean is much larger than the deviation.
struct Affine {
  const float *center, *scale, *bias;
};

// Loops over rows of [count, channels].
template <typename T>
struct RowKernels {
  // The sums of each channel's differences from the first row, and of their squares. Sums of the
  // elements themselves would lose the variance if the mean is much larger.
  void (*moments)(const T* rows, int64_t count, int64_t channels, float* sum, float* squares);
  void (*affine)(const T* rows, int64_t count, int64_t channels, const Affine& affine, T* y);
  // The same, followed by SiLU: y / (1 + exp(-y)).
  void (*affine_silu)(const T* rows, int64_t count, int64_t channels, const Affine& affine, T* y);
  void (*affine_silu_to_float)(const T* rows, int64_t count, int64_t channels, const Affine& affine,
                               float* y);
  // y = x weights^T + bias.
  void (*skinny_matmul)(const SkinnyMatmul<T>& matmul);
  void (*transform_winograd_output)(const WinogradOutput<T>& row);
};

// LayerNorm of rows of [count, channels].
struct LayerNormRows {
  const float* rows;
  int64_t count, channels;
  const float *weight, *bias;  // [channels]
  float eps;
  float* y;
};

struct Kernels {
  int64_t lanes;  // floats per vector
  void (*conv_row)(const ConvRow& row);
  RowKernels<float> float32;
  RowKernels<c10::BFloat16> bfloat16;
  // Softmax of each row of [count, width] in place. `width` is a multiple of `lanes`.
  void (*softmax)(float* rows, int64_t count, int64_t width);
  void (*layer_norm)(const LayerNormRows& norm);
  // Activations, in place.
  void (*gelu)(float* x, int64_t count);
  void (*quick_gelu)(float* x, int64_t count);
  WinogradKernels<float> winograd_float;
  MatmulKernels<float> matmul_float;
  Bf16DotKernels bf16_dot;  // null pointers where the processor has no such instruction

  template <typename T>
  const RowKernels<T>& rows() const;
  template <typename T>
  const MatmulKernels<T>& matmul() const;
  template <typename T>
  const WinogradKernels<T>& winograd() const;
};

template <>
inline const RowKernels<float>& Kernels::rows() const {
  return float32;
}
template <>
inline const RowKernels<c10::BFloat16>& Kernels::rows() const {
  return bfloat16;
}

template <>
inline const MatmulKernels<float>& Kernels::matmul() const {
  return matmul_float;
}
template <>
inline const MatmulKernels<c10::BFloat16>& Kernels::matmul() const {
  return bf16_dot.matmul;
}
template <>
inline const WinogradKernels<float>& Kernels::winograd() const {
  return winograd_float;
}
template <>
inline const WinogradKernels<c10::BFloat16>& Kernels::winograd() const {
  return bf16_dot.winograd;
}

// An instruction set that kernels are compiled for.
struct InstructionSet {
  const char* name;  // as KARLO_CPU_CAPABILITY has it
  const Kernels* kernels;
};

// Those that this processor has, each a superset of the one before.
const std::vector<InstructionSet>& instruction_sets();
// The highest of them, or a lower one that KARLO_CPU_CAPABILITY names.
const InstructionSet& instruction_set();
// The kernels for instruction_set().
const Kernels& kernels();
// `count`, rounded up to whole vectors.
int64_t padded(int64_t count, const Kernels& kernels = simd::kernels());

#if defined(__x86_64__) && defined(__GNUC__)
#define KARLO_X86_KERNELS 1
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
// Null if the compiler did not know the instructions.
const Kernels* avx512_bf16_kernels();
#elif defined(__aarch64__) && defined(__GNUC__)
#define KARLO_ARM_KERNELS 1
const Kernels& neon_kernels();
// Null if the compiler did not know the instructions.
const Kernels* neon_bf16_kernels();
#endif
// The kernels that every processor of the platform can run.
const Kernels& base_kernels();

// A convolution computes blocks of at most three vectors of output channels, as evenly sized as
// possible: the sums of more would not fit in the registers.
inline int64_t block_count(int64_t vectors) { return (vectors + 2) / 3; }
// Vectors of the next block, given how many vectors and blocks are left.
inline int64_t next_block(int64_t vectors, int64_t blocks) {
  return (vectors + blocks - 1) / blocks;
}

}  // namespace karlo::simd
