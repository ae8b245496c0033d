#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>

namespace karlo::nets {

// The inner loops of group_norm over rows of [count, channels], in a file of their own for its
// compiler flags: vectors as wide as the processor's.

// Adds each channel's elements to `sum`, and their squares to `squares`.
template <typename T>
void add_moments(const T* rows, int64_t count, int64_t channels, float* sum, float* squares);

// y = x * gain + lift.
template <typename T>
void transform_rows(const T* rows, int64_t count, int64_t channels, const float* gain,
                    const float* lift, T* y);

// The same, and SiLU: y / (1 + exp(-y)).
template <typename T>
void transform_silu(const T* rows, int64_t count, int64_t channels, const float* gain,
                    const float* lift, T* y);

}  // namespace karlo::nets
