#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <type_traits>

// The inner loops of this folder, compiled for each kind of vectors that a processor may have.
namespace karlo::nets::cpu {

// What one of a convolution's taps sees: the pixel for the row's first output pixel, and behind it
// those for the next ones.
struct Tap {
  const float* pixels;
  int64_t channels;
  int64_t stride;  // floats from a pixel to the next
};

// A row of output pixels: bias + the taps' pixels times their weights + residual.
struct ConvRow {
  const Tap* taps;
  int64_t tap_count;
  int64_t width;          // pixels
  float* y;               // the first pixel
  int64_t step;           // floats from a pixel of y to the next
  const float* residual;  // [width, out], or null
  const float* weights;   // see pack() in direct_conv.h
  const float* bias;      // [out], filled up to whole vectors
  int64_t out;            // channels of y
};

// A row of 2x2 tiles of a Winograd convolution's result.
template <typename T>
struct WinogradOutput {
  const float* products[16];  // of each component: the first tile's
  int64_t stride;             // from a tile's product to the next
  bool doubled;               // nine components instead of sixteen
  int64_t tiles, channels;
  const float* bias;     // [channels]
  const T* residual[2];  // the two rows of pixels that are added, or null
  T* y[2];               // the two rows of pixels
  int64_t step;          // from a pixel to the next
};

// A row of 4x4 tiles, two pixels apart, of what a Winograd convolution sees; of a picture that is
// doubled, of its 3x3 pixels, one apart.
template <typename C>
struct WinogradInput {
  const float* rows[4];  // of pixels, from the first tile's first one on
  bool doubled;
  int64_t tiles, channels;
  C* components;   // [components, *, channels]: the first tile's first component
  int64_t plane;   // from a component to the next
  int64_t stride;  // from a tile to the next
};

// The ends of a Winograd convolution whose components are C: see winograd.h.
template <typename C>
struct WinogradKernels {
  void (*input)(const WinogradInput<C>& row);
  // Of one output channel: 3x3 weights of `count` input channels to `components` of them,
  // [components, *], `plane` apart.
  void (*weights)(const C* weights, int64_t count, bool doubled, C* components, int64_t plane);
};

// The kernels by pairs multiply two neighbours of bfloat16 at once, which some processors have an
// instruction for; all sums are float32.

// Up to `lanes` rows of weights, in the order in which PairProduct wants them: a vector of pairs,
// one of each row, for every two inputs; zeros for what is missing.
struct PairPacking {
  const c10::BFloat16* weights;  // [rows, in]
  int64_t stride;                // from a row to the next
  int64_t rows, in;
  c10::BFloat16* to;  // the first vector
  int64_t step;       // from a vector to the next
};

// Rows of x times packed weights.
struct PairProduct {
  const c10::BFloat16* x;  // [rows, in]
  int64_t stride;          // from a row to the next
  int64_t rows, in;
  const c10::BFloat16* weights;  // for every two inputs, `vectors` vectors
  int64_t vectors;               // 1 to 4
  float* sums;                   // [rows, vectors * lanes]
  int64_t step;                  // from a row of sums to the next
  bool add;                      // to `sums`, which are overwritten otherwise
};

// Sums to bfloat16: sums * factor + bias + residual.
struct PairSums {
  const float* sums;  // [rows, *]
  int64_t stride;     // from a row to the next
  int64_t rows, count;
  const float* factors;           // [rows], or null
  const c10::BFloat16* bias;      // [count], or null
  const c10::BFloat16* residual;  // like y, or null
  c10::BFloat16* y;               // [rows, count]
  int64_t step;                   // from a row of y to the next
};

// The numerators of softmax(logits * scale + bias), and of each row 1 / their sum.
struct PairSoftmax {
  float* logits;        // [rows, width], which are overwritten
  int64_t rows, width;  // a multiple of `lanes`
  float scale;
  const float* bias;  // [width]
  c10::BFloat16* y;   // [rows, width]
  float* factors;     // [rows]
};

struct PairKernels {
  void (*pack)(const PairPacking& packing);
  // The same of weights that lie the other way round, [in, rows]: `stride` is from an input on.
  void (*pack_columns)(const PairPacking& packing);
  void (*product)(const PairProduct& product);
  void (*finish)(const PairSums& sums);
  void (*softmax)(const PairSoftmax& softmax);
  WinogradKernels<c10::BFloat16> winograd;
};

// A few rows of x times some rows of weights.
template <typename T>
struct FewRows {
  const T* x;  // [rows, in]
  int64_t rows, in;
  const T* weights;  // [count, in]
  int64_t count;
  const T* bias;   // [count], or null
  T* y;            // the first row's first result
  int64_t stride;  // from a row of y to the next
  float* scratch;  // of the calling thread: [rows, in], where T is not float and there are no pairs
};

// Loops over rows of [count, channels].
template <typename T>
struct RowKernels {
  // Adds each channel's elements to `sum`, and their squares to `squares`.
  void (*add_moments)(const T* rows, int64_t count, int64_t channels, float* sum, float* squares);
  // y = x * gain + lift.
  void (*transform)(const T* rows, int64_t count, int64_t channels, const float* gain,
                    const float* lift, T* y);
  // The same, and SiLU: y / (1 + exp(-y)).
  void (*transform_silu)(const T* rows, int64_t count, int64_t channels, const float* gain,
                         const float* lift, T* y);
  // The same, to float32.
  void (*activate)(const T* rows, int64_t count, int64_t channels, const float* gain,
                   const float* lift, float* y);
  // y = x weights^T + bias.
  void (*dot)(const FewRows<T>& few);
  void (*winograd_output)(const WinogradOutput<T>& row);
};

struct Kernels {
  int64_t lanes;  // floats of a vector
  void (*conv_row)(const ConvRow& row);
  RowKernels<float> float32;
  RowKernels<c10::BFloat16> bfloat16;
  // Softmax of each row in place, of [count, width], width a multiple of `lanes`.
  void (*softmax)(float* rows, int64_t count, int64_t width);
  WinogradKernels<float> winograd;
  PairKernels pairs;  // null where the processor has no such instruction

  template <typename T>
  const RowKernels<T>& rows() const;
};

template <>
inline const RowKernels<float>& Kernels::rows() const {
  return float32;
}
template <>
inline const RowKernels<c10::BFloat16>& Kernels::rows() const {
  return bfloat16;
}

// Those for the widest vectors that this processor has.
const Kernels& kernels();

#if defined(__x86_64__) && defined(__GNUC__)
#define KARLO_X86_KERNELS 1
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
// Null where the compiler does not know the instructions.
const Kernels* avx512_bfloat16_kernels();
#endif
// Those that any processor of the platform can run.
const Kernels& base_kernels();

// Output channels are worked on in blocks of at most three vectors, as even as can be: more would
// not fit into the registers beside the pixels.
inline int64_t block_count(int64_t vectors) { return (vectors + 2) / 3; }
// Vectors of the next block, where `vectors` and `blocks` are left.
inline int64_t next_block(int64_t vectors, int64_t blocks) {
  return (vectors + blocks - 1) / blocks;
}

template <int value>
using Constant = std::integral_constant<int, value>;

// Calls f(rows, count, row, first) for blocks of at most six rows and `kCount` results, which the
// registers hold: all rows, while their weights are in the cache.
template <int kCount, typename T, typename F>
inline void each_block(const FewRows<T>& few, const F& f) {
  const auto rows_of = [&](auto count, int64_t first) {
    int64_t row = 0;
    for (; row + 6 <= few.rows; row += 6) f(Constant<6>(), count, row, first);
    switch (few.rows - row) {
      case 5:
        return f(Constant<5>(), count, row, first);
      case 4:
        return f(Constant<4>(), count, row, first);
      case 3:
        return f(Constant<3>(), count, row, first);
      case 2:
        return f(Constant<2>(), count, row, first);
      case 1:
        return f(Constant<1>(), count, row, first);
      default:
        return;
    }
  };
  int64_t first = 0;
  for (; first + kCount <= few.count; first += kCount) rows_of(Constant<kCount>(), first);
  for (; first < few.count; ++first) rows_of(Constant<1>(), first);
}

}  // namespace karlo::nets::cpu
