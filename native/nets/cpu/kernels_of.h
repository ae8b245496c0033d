#pragma once

#include <cstring>

#include "nets/cpu/kernels.h"

// What kernels_*.cc are made of, each with its own compiler flags. All of it is local to its file:
// the linker must not take the copy for wide vectors where the processor has none.
#ifdef __GNUC__
#define KARLO_INLINE inline __attribute__((always_inline))
#define KARLO_UNROLL _Pragma("GCC unroll 16")
#else
#define KARLO_INLINE inline
#define KARLO_UNROLL
#endif

namespace karlo::nets::cpu {
namespace {

// `kLanes` floats, and as many integers.
template <int kLanes>
struct Vectors;

#ifdef __GNUC__
#define KARLO_VECTORS(lanes)                                                                 \
  template <>                                                                                \
  struct Vectors<lanes> {                                                                    \
    typedef float Float __attribute__((vector_size(lanes * 4)));                             \
    typedef int32_t Int __attribute__((vector_size(lanes * 4)));                             \
    typedef uint32_t Bits __attribute__((vector_size(lanes * 4)));                           \
    typedef uint16_t Halves __attribute__((vector_size(lanes * 2)));                         \
    static KARLO_INLINE Int to_int(Float x) { return __builtin_convertvector(x, Int); }      \
    static KARLO_INLINE Bits widen(Halves x) { return __builtin_convertvector(x, Bits); }    \
    static KARLO_INLINE Halves narrow(Bits x) { return __builtin_convertvector(x, Halves); } \
  };
KARLO_VECTORS(4)
KARLO_VECTORS(8)
KARLO_VECTORS(16)
#else
template <>
struct Vectors<1> {
  using Float = float;
  using Int = int32_t;
  using Bits = uint32_t;
  using Halves = uint16_t;
  static Int to_int(Float x) { return static_cast<Int>(x); }
  static Bits widen(Halves x) { return x; }
  static Halves narrow(Bits x) { return static_cast<Halves>(x); }
};
#endif

template <typename To, typename From>
KARLO_INLINE To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From), "of one size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// `kPixels1` to `kPixels3`: pixels of a convolution's tile whose block has one, two or three
// vectors.
template <int kLanes, int kPixels1, int kPixels2, int kPixels3>
struct KernelsOf {
  using V = Vectors<kLanes>;
  using Float = typename V::Float;

  static KARLO_INLINE Float all_of(float value) { return Float{} + value; }
  static KARLO_INLINE Float load(const float* from) {
    Float vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static KARLO_INLINE Float load(const c10::BFloat16* from) {
    typename V::Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    return bits_as<Float>(V::widen(halves) << 16);
  }
  static KARLO_INLINE void store(Float vector, float* to) {
    std::memcpy(to, &vector, sizeof vector);
  }
  // Rounds half to even, as LibTorch does; what is no number stays none.
  static KARLO_INLINE void store(Float vector, c10::BFloat16* to) {
    using Bits = typename V::Bits;
    const Bits bits = bits_as<Bits>(vector);
    const Bits rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    const auto halves = V::narrow(vector != vector ? Bits{} + 0x7fc0 : rounded);
    std::memcpy(static_cast<void*>(to), &halves, sizeof halves);
  }

  // exp(x) = 2^n * 2^f, n whole and |f| <= 1/2; 2^f by its Taylor polynomial, whose rest is below
  // float32's own rounding. Beyond +-87 the result stays where it is there.
  static KARLO_INLINE Float exponential(Float x) {
    const Float lowest = all_of(-87.0f), highest = all_of(87.0f);
    x = x < lowest ? lowest : x;
    x = x > highest ? highest : x;
    const Float round = all_of(12582912.0f);  // 1.5 * 2^23: adding it leaves no room for a fraction
    const Float n = (x * 1.44269504088896341f + round) - round;
    // In two steps, so that the product with ln 2 is exact where it must be.
    const Float f = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Float p = all_of(1.0f / 5040);
    p = p * f + 1.0f / 720;
    p = p * f + 1.0f / 120;
    p = p * f + 1.0f / 24;
    p = p * f + 1.0f / 6;
    p = p * f + 0.5f;
    p = p * f + 1.0f;
    p = p * f + 1.0f;
    return p * bits_as<Float>((V::to_int(n) + 127) << 23);
  }

  static KARLO_INLINE Float silu(Float x) { return x / (exponential(-x) + 1.0f); }

  template <bool kSilu>
  static KARLO_INLINE Float apply(Float x, Float gain, Float lift) {
    const Float y = x * gain + lift;
    return kSilu ? silu(y) : y;
  }

  template <typename From, typename To, bool kSilu>
  static void transform(const From* rows, int64_t count, int64_t channels, const float* gain,
                        const float* lift, To* y) {
    const int64_t whole = channels / kLanes * kLanes, rest = channels - whole;
    for (int64_t row = 0; row < count; ++row, rows += channels, y += channels) {
      for (int64_t c = 0; c < whole; c += kLanes) {
        store(apply<kSilu>(load(rows + c), load(gain + c), load(lift + c)), y + c);
      }
      if (rest > 0) {
        const Float value =
            apply<kSilu>(load_part(rows + whole, rest), load_part(gain + whole, rest),
                         load_part(lift + whole, rest));
        store_part(value, y + whole, rest);
      }
    }
  }

  // Of a shorter vector, the rest of it zeros.
  template <typename T>
  static KARLO_INLINE Float load_part(const T* from, int64_t count) {
    T values[kLanes] = {};
    std::memcpy(static_cast<void*>(values), from, count * sizeof(T));
    return load(values);
  }
  template <typename T>
  static KARLO_INLINE void store_part(Float vector, T* to, int64_t count) {
    T values[kLanes];
    store(vector, values);
    std::memcpy(static_cast<void*>(to), values, count * sizeof(T));
  }
  // Calls f(channel, load, store) for each vector of channels, the last of which may be shorter.
  template <typename F>
  static KARLO_INLINE void each_vector(int64_t channels, const F& f) {
    const int64_t whole = channels / kLanes * kLanes, rest = channels - whole;
    for (int64_t c = 0; c < whole; c += kLanes) {
      f(
          c, [](const auto* from) { return load(from); },
          [](Float vector, auto* to) { store(vector, to); });
    }
    if (rest == 0) return;
    f(
        whole, [rest](const auto* from) { return load_part(from, rest); },
        [rest](Float vector, auto* to) { store_part(vector, to, rest); });
  }

  // Of `kVectors` vectors of channels, held in registers.
  template <int kVectors, typename T>
  static KARLO_INLINE void add_moments_of(const T* rows, int64_t count, int64_t channels,
                                          float* sum, float* squares) {
    Float sums[kVectors], square_sums[kVectors];
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sums[v] = load(sum + v * kLanes);
      square_sums[v] = load(squares + v * kLanes);
    }
    for (int64_t row = 0; row < count; ++row, rows += channels) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const Float x = load(rows + v * kLanes);
        sums[v] += x;
        square_sums[v] += x * x;
      }
    }
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      store(sums[v], sum + v * kLanes);
      store(square_sums[v], squares + v * kLanes);
    }
  }

  template <typename T>
  static void add_moments(const T* rows, int64_t count, int64_t channels, float* sum,
                          float* squares) {
    int64_t c = 0;
    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) {
      add_moments_of<4>(rows + c, count, channels, sum + c, squares + c);
    }
    for (; c + kLanes <= channels; c += kLanes) {
      add_moments_of<1>(rows + c, count, channels, sum + c, squares + c);
    }
    for (; c < channels; ++c) {
      for (int64_t row = 0; row < count; ++row) {
        const auto x = static_cast<float>(rows[row * channels + c]);
        sum[c] += x;
        squares[c] += x * x;
      }
    }
  }

  static void softmax(float* rows, int64_t count, int64_t width) {
    for (float* row = rows; row < rows + count * width; row += width) {
      Float most = load(row);
      for (int64_t c = kLanes; c < width; c += kLanes) {
        const Float x = load(row + c);
        most = x > most ? x : most;
      }
      float lanes[kLanes];
      store(most, lanes);
      float highest = lanes[0];
      for (const float lane : lanes) highest = lane > highest ? lane : highest;
      Float sums = all_of(0.0f);
      for (int64_t c = 0; c < width; c += kLanes) {
        const Float x = load(row + c) - highest;
        // Zero, and not a number so small that the processor slows down for it.
        const Float e = x < all_of(-80.0f) ? all_of(0.0f) : exponential(x);
        sums += e;
        store(e, row + c);
      }
      store(sums, lanes);
      float sum = 0;
      for (const float lane : lanes) sum += lane;
      const float factor = 1.0f / sum;
      for (int64_t c = 0; c < width; c += kLanes) store(load(row + c) * factor, row + c);
    }
  }

  // Lavin & Gray 2016, section 4.1: B^T d B of a tile d.
  template <typename C>
  static void winograd_input(const WinogradInput<C>& row) {
    for (int64_t tile = 0; tile < row.tiles; ++tile) {
      const int64_t x = (row.doubled ? tile : 2 * tile) * row.channels;
      C* to = row.components + tile * row.stride;
      each_vector(row.channels, [&](int64_t c, auto load_it, auto store_it) {
        const auto at = [&](int y, int column) {
          return load_it(row.rows[y] + x + column * row.channels + c);
        };
        if (row.doubled) {
          // Of the rows p, q, q, r of a doubled picture the third component is none.
          Float columns[3][3];
          KARLO_UNROLL
          for (int i = 0; i < 3; ++i) {
            const Float p = at(0, i), q = at(1, i), r = at(2, i);
            columns[0][i] = p - q;
            columns[1][i] = q + q;
            columns[2][i] = q - r;
          }
          KARLO_UNROLL
          for (int k = 0; k < 3; ++k) {
            const Float p = columns[k][0], q = columns[k][1], r = columns[k][2];
            store_it(p - q, to + (3 * k) * row.plane + c);
            store_it(q + q, to + (3 * k + 1) * row.plane + c);
            store_it(q - r, to + (3 * k + 2) * row.plane + c);
          }
          return;
        }
        Float columns[4][4];
        KARLO_UNROLL
        for (int i = 0; i < 4; ++i) {
          const Float p = at(0, i), q = at(1, i), r = at(2, i), s = at(3, i);
          columns[0][i] = p - r;
          columns[1][i] = q + r;
          columns[2][i] = r - q;
          columns[3][i] = q - s;
        }
        KARLO_UNROLL
        for (int k = 0; k < 4; ++k) {
          const Float p = columns[k][0], q = columns[k][1], r = columns[k][2], s = columns[k][3];
          store_it(p - r, to + (4 * k) * row.plane + c);
          store_it(q + r, to + (4 * k + 1) * row.plane + c);
          store_it(r - q, to + (4 * k + 2) * row.plane + c);
          store_it(q - s, to + (4 * k + 3) * row.plane + c);
        }
      });
    }
  }

  // A^T m A of a tile's products m.
  template <typename T, typename C>
  static void winograd_output(const WinogradOutput<T, C>& row) {
    for (int64_t tile = 0; tile < row.tiles; ++tile) {
      const int64_t first = tile * row.channels;
      const int64_t pixel = 2 * tile * row.channels;
      each_vector(row.channels, [&](int64_t c, auto load_it, auto store_it) {
        const auto at = [&](int k) { return load_it(row.products[k] + first + c); };
        Float rows[2][4] = {};
        const int columns = row.doubled ? 3 : 4;
        KARLO_UNROLL
        for (int i = 0; i < 4; ++i) {
          if (i == columns) break;
          if (row.doubled) {
            const Float p = at(i), q = at(3 + i), s = at(6 + i);
            rows[0][i] = p + q;
            rows[1][i] = q - s;
          } else {
            const Float p = at(i), q = at(4 + i), r = at(8 + i), s = at(12 + i);
            rows[0][i] = p + q + r;
            rows[1][i] = q - r - s;
          }
        }
        const Float bias = load_it(row.bias + c);
        KARLO_UNROLL
        for (int y = 0; y < 2; ++y) {
          Float left, right;
          if (row.doubled) {
            left = rows[y][0] + rows[y][1];
            right = rows[y][1] - rows[y][2];
          } else {
            left = rows[y][0] + rows[y][1] + rows[y][2];
            right = rows[y][1] - rows[y][2] - rows[y][3];
          }
          left += bias;
          right += bias;
          if (row.residual[y] != nullptr) {
            left += load_it(row.residual[y] + pixel + c);
            right += load_it(row.residual[y] + pixel + row.channels + c);
          }
          store_it(left, row.y[y] + pixel + c);
          store_it(right, row.y[y] + pixel + row.channels + c);
        }
      });
    }
  }

  // G g G^T of each 3x3 weights g, of a vector of input channels at a time.
  template <typename C>
  static void winograd_weights(const float* weights, int64_t count, bool doubled, C* components,
                               int64_t plane) {
    for (int64_t i = 0; i < count; i += kLanes, weights += 9 * kLanes) {
      const int64_t part = count - i < kLanes ? count - i : kLanes;
      float apart[9][kLanes] = {};
      for (int64_t lane = 0; lane < part; ++lane) {
        for (int k = 0; k < 9; ++k) apart[k][lane] = weights[lane * 9 + k];
      }
      Float rows[4][3];
      KARLO_UNROLL
      for (int x = 0; x < 3; ++x) {
        halves(load(apart[x]), load(apart[3 + x]), load(apart[6 + x]),
               [&](int k, Float value) { rows[k][x] = value; });
      }
      KARLO_UNROLL
      for (int y = 0; y < 4; ++y) {
        if (doubled && y == 2) continue;  // the component that a doubled picture does not have
        const int row = doubled ? (y == 3 ? 2 : y) * 3 : y * 4;
        halves(rows[y][0], rows[y][1], rows[y][2], [&](int k, Float value) {
          if (doubled && k == 2) return;
          C* to = components + (row + (doubled && k == 3 ? 2 : k)) * plane + i;
          if (part == kLanes) {
            store(value, to);
          } else {
            store_part(value, to, part);
          }
        });
      }
    }
  }

  // G g of one column.
  template <typename F>
  static KARLO_INLINE void halves(Float p, Float q, Float r, const F& f) {
    const Float outer = (p + r) * 0.5f, inner = q * 0.5f;
    f(0, p);
    f(1, outer + inner);
    f(2, outer - inner);
    f(3, r);
  }

  // Pixels x to x + kPixels of a block of kVectors vectors of channels, held in registers.
  template <int kVectors, int kPixels>
  static KARLO_INLINE void tile(const ConvRow& row, int64_t x, int64_t first,
                                const float* weights) {
    Float sum[kPixels][kVectors];
    KARLO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const Float bias = load(row.bias + first + v * kLanes);
      KARLO_UNROLL
      for (int p = 0; p < kPixels; ++p) sum[p][v] = bias;
    }
    constexpr int kGroups = (kPixels + 3) / 4;
    for (int64_t t = 0; t < row.tap_count; ++t) {
      const int64_t channels = row.taps[t].channels, stride = row.taps[t].stride;
      // A pointer for four pixels: one for each would not fit into the registers.
      const float* pixels[kGroups];
      KARLO_UNROLL
      for (int g = 0; g < kGroups; ++g) pixels[g] = row.taps[t].pixels + (x + 4 * g) * stride;
      for (int64_t c = 0; c < channels; ++c) {
        Float weight[kVectors];
        KARLO_UNROLL
        for (int v = 0; v < kVectors; ++v) weight[v] = load(weights + v * kLanes);
        weights += kVectors * kLanes;
        KARLO_UNROLL
        for (int p = 0; p < kPixels; ++p) {
          const float value = pixels[p / 4][p % 4 * stride];
          KARLO_UNROLL
          for (int v = 0; v < kVectors; ++v) sum[p][v] += weight[v] * value;
        }
        KARLO_UNROLL
        for (int g = 0; g < kGroups; ++g) ++pixels[g];
      }
    }
    KARLO_UNROLL
    for (int p = 0; p < kPixels; ++p) {
      KARLO_UNROLL
      for (int v = 0; v < kVectors; ++v) finish(row, x + p, first + v * kLanes, sum[p][v]);
    }
  }

  static KARLO_INLINE void finish(const ConvRow& row, int64_t pixel, int64_t channel, Float sum) {
    float* to = row.y + pixel * row.step + channel;
    const float* more = row.residual ? row.residual + pixel * row.out + channel : nullptr;
    const int64_t count = row.out - channel;
    if (count >= kLanes) {
      store(more ? sum + load(more) : sum, to);
      return;
    }
    float lanes[kLanes];
    store(sum, lanes);
    for (int64_t i = 0; i < count; ++i) to[i] = more ? lanes[i] + more[i] : lanes[i];
  }

  template <int kVectors, int kPixels>
  static KARLO_INLINE void block(const ConvRow& row, int64_t first, const float* weights) {
    int64_t x = 0;
    for (; x + kPixels <= row.width; x += kPixels) {
      tile<kVectors, kPixels>(row, x, first, weights);
    }
    for (; x + 4 <= row.width; x += 4) tile<kVectors, 4>(row, x, first, weights);
    for (; x < row.width; ++x) tile<kVectors, 1>(row, x, first, weights);
  }

  static void conv_row(const ConvRow& row) {
    int64_t channels = 0;
    for (int64_t t = 0; t < row.tap_count; ++t) channels += row.taps[t].channels;
    int64_t left = (row.out + kLanes - 1) / kLanes;
    const float* weights = row.weights;
    int64_t first = 0;
    for (int64_t blocks = block_count(left); blocks > 0; --blocks) {
      const int64_t vectors = next_block(left, blocks);
      if (vectors == 1) block<1, kPixels1>(row, first, weights);
      if (vectors == 2) block<2, kPixels2>(row, first, weights);
      if (vectors == 3) block<3, kPixels3>(row, first, weights);
      weights += channels * vectors * kLanes;
      first += vectors * kLanes;
      left -= vectors;
    }
  }

  // Elements that dot_block() takes at once: of bfloat16 two vectors, the even elements and the odd
  // ones, which lie in the upper and the lower halves of 32 bits.
  static constexpr int64_t step_of(const float*) { return kLanes; }
  static constexpr int64_t step_of(const c10::BFloat16*) { return 2 * kLanes; }

  // A row's elements in that order.
  static void take_apart(const c10::BFloat16* row, int64_t count, float* apart) {
    const int64_t whole = count / (2 * kLanes) * (2 * kLanes);
    for (int64_t i = 0; i < whole; i += 2 * kLanes) {
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        apart[i + lane] = row[i + 2 * lane];
        apart[i + kLanes + lane] = row[i + 2 * lane + 1];
      }
    }
    for (int64_t i = whole; i < count; ++i) apart[i] = row[i];
  }

  template <int kRows, int kCount>
  static KARLO_INLINE void add_products(Float (&sums)[kRows][kCount], const Float (&w)[kCount],
                                        const float* x, int64_t in) {
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Float value = load(x + r * in);
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) sums[r][o] += w[o] * value;
    }
  }
  template <int kRows, int kCount>
  static KARLO_INLINE void add_step(Float (&sums)[kRows][kCount], const float* weights,
                                    const float* x, int64_t in) {
    Float w[kCount];
    KARLO_UNROLL
    for (int o = 0; o < kCount; ++o) w[o] = load(weights + o * in);
    add_products(sums, w, x, in);
  }
  template <int kRows, int kCount>
  static KARLO_INLINE void add_step(Float (&sums)[kRows][kCount], const c10::BFloat16* weights,
                                    const float* x, int64_t in) {
    // Loaded twice: there are no registers to keep them in.
    const auto pairs = [&](int o) {
      typename V::Bits bits;
      std::memcpy(&bits, static_cast<const void*>(weights + o * in), sizeof bits);
      return bits;
    };
    Float w[kCount];
    KARLO_UNROLL
    for (int o = 0; o < kCount; ++o) w[o] = bits_as<Float>(pairs(o) << 16);
    add_products(sums, w, x, in);
    KARLO_UNROLL
    for (int o = 0; o < kCount; ++o) w[o] = bits_as<Float>(pairs(o) & 0xffff0000u);
    add_products(sums, w, x + kLanes, in);
  }

  static KARLO_INLINE float sum_of(Float vector) {
    float lanes[kLanes];
    store(vector, lanes);
    float sum = 0;
    for (const float lane : lanes) sum += lane;
    return sum;
  }

  // `kCount` results of each of `kRows` rows, from `row` on, held in registers.
  template <int kRows, int kCount, typename T>
  static KARLO_INLINE void dot_block(const FewRows<T>& few, const float* all, int64_t row,
                                     int64_t first) {
    const int64_t in = few.in, step = step_of(few.weights), whole = in / step * step;
    const float* x = all + row * in;
    const T* weights = few.weights + first * in;
    // Every loop over them is unrolled, or they would not stay in registers.
    Float sums[kRows][kCount];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) sums[r][o] = all_of(0.0f);
    }
    for (int64_t i = 0; i < whole; i += step) add_step(sums, weights + i, x + i, in);
    float totals[kRows][kCount];
    KARLO_UNROLL
    for (int r = 0; r < kRows; ++r) {
      KARLO_UNROLL
      for (int o = 0; o < kCount; ++o) totals[r][o] = sum_of(sums[r][o]);
    }
    for (int r = 0; r < kRows; ++r) {
      for (int o = 0; o < kCount; ++o) {
        float sum = totals[r][o];
        for (int64_t i = whole; i < in; ++i) {
          sum += x[r * in + i] * static_cast<float>(weights[o * in + i]);
        }
        if (few.bias != nullptr) sum += static_cast<float>(few.bias[first + o]);
        few.y[(row + r) * few.stride + first + o] = static_cast<T>(sum);
      }
    }
  }

  static void dot(const FewRows<float>& few) { dot_apart(few, few.x); }
  static void dot(const FewRows<c10::BFloat16>& few) {
    for (int64_t row = 0; row < few.rows; ++row) {
      take_apart(few.x + row * few.in, few.in, few.scratch + row * few.in);
    }
    dot_apart(few, few.scratch);
  }

  template <typename T>
  static KARLO_INLINE void dot_apart(const FewRows<T>& few, const float* x) {
    each_block<kLanes >= 16 ? 4 : 2>(few, [&](auto rows, auto count, int64_t row, int64_t first) {
      dot_block<rows, count>(few, x, row, first);
    });
  }

  template <typename T>
  static constexpr RowKernels<T> rows() {
    return {&add_moments<T>, &transform<T, T, false>, &transform<T, T, true>,
            &transform<T, float, true>, &dot};
  }
  template <typename C>
  static constexpr WinogradKernels<C> winograd() {
    return {&winograd_input<C>, &winograd_weights<C>, &winograd_output<float, C>,
            &winograd_output<c10::BFloat16, C>};
  }

  static constexpr Kernels all{kLanes,
                               &conv_row,
                               rows<float>(),
                               rows<c10::BFloat16>(),
                               &softmax,
                               winograd<float>(),
                               winograd<c10::BFloat16>()};
};

}  // namespace
}  // namespace karlo::nets::cpu
