#include "nets/group_norm_rows.h"

#include <cstring>

// The baseline of x86-64 is SSE2. These functions are compiled for wider vectors besides, and the
// system's loader takes the widest that the processor has.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define KARLO_EACH_CPU \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), flatten))
#else
#define KARLO_EACH_CPU
#endif

namespace karlo::nets {
namespace {

inline float bits_to_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint32_t float_to_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float load(float value) { return value; }
inline float load(c10::BFloat16 value) { return bits_to_float(uint32_t{value.x} << 16); }

inline void store(float value, float& to) { to = value; }

// Rounds half to even, as LibTorch does; what is no number stays none.
inline void store(float value, c10::BFloat16& to) {
  const uint32_t bits = float_to_bits(value);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  to.x = static_cast<uint16_t>(value != value ? 0x7fc0 : rounded);
}

// exp(x) = 2^n * 2^f, n whole and |f| <= 1/2; 2^f by its Taylor polynomial, whose rest is below
// float32's own rounding. Beyond +-87 the result stays where it is there.
inline float exponential(float x) {
  const float clamped = x < -87.0f ? -87.0f : (x > 87.0f ? 87.0f : x);
  const float t = clamped * 1.44269504088896341f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no room for a fraction
  const float n = (t + kRound) - kRound;
  // In two steps, so that the product with ln 2 is exact where it must be.
  const float f = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * f + 1.0f / 720;
  p = p * f + 1.0f / 120;
  p = p * f + 1.0f / 24;
  p = p * f + 1.0f / 6;
  p = p * f + 0.5f;
  p = p * f + 1.0f;
  p = p * f + 1.0f;
  return p * bits_to_float(static_cast<uint32_t>(static_cast<int32_t>(n) + 127) << 23);
}

inline float silu(float x) { return x / (1.0f + exponential(-x)); }

template <typename T>
inline void add_all(const T* rows, int64_t count, int64_t channels, float* __restrict sum,
                    float* __restrict squares) {
  for (int64_t row = 0; row < count; ++row) {
    const T* __restrict line = rows + row * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const float value = load(line[c]);
      sum[c] += value;
      squares[c] += value * value;
    }
  }
}

template <typename T, typename F>
inline void transform(const T* rows, int64_t count, int64_t channels, const float* __restrict gain,
                      const float* __restrict lift, T* y, F then) {
  for (int64_t row = 0; row < count; ++row) {
    const T* __restrict line = rows + row * channels;
    T* __restrict out = y + row * channels;
    for (int64_t c = 0; c < channels; ++c) store(then(load(line[c]) * gain[c] + lift[c]), out[c]);
  }
}

inline float same(float x) { return x; }

}  // namespace

#define KARLO_ROWS(T)                                                                         \
  template <>                                                                                 \
  KARLO_EACH_CPU void add_moments(const T* rows, int64_t count, int64_t channels, float* sum, \
                                  float* squares) {                                           \
    add_all(rows, count, channels, sum, squares);                                             \
  }                                                                                           \
  template <>                                                                                 \
  KARLO_EACH_CPU void transform_rows(const T* rows, int64_t count, int64_t channels,          \
                                     const float* gain, const float* lift, T* y) {            \
    transform(rows, count, channels, gain, lift, y, [](float x) { return same(x); });         \
  }                                                                                           \
  template <>                                                                                 \
  KARLO_EACH_CPU void transform_silu(const T* rows, int64_t count, int64_t channels,          \
                                     const float* gain, const float* lift, T* y) {            \
    transform(rows, count, channels, gain, lift, y, [](float x) { return silu(x); });         \
  }

KARLO_ROWS(float)
KARLO_ROWS(c10::BFloat16)

}  // namespace karlo::nets
