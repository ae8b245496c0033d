#pragma once

#include <cstdint>

namespace karlo::ops {

// How a ResBlock changes the size of its image.
enum class Resample : int64_t { kNone, kDown, kUp };

// The resampled height or width.
inline int64_t resampled(int64_t size, Resample resample) {
  return resample == Resample::kDown ? size / 2 : resample == Resample::kUp ? size * 2 : size;
}

}  // namespace karlo::ops
