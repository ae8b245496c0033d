// What the environment says about the fake devices. It is read at each use, so that a test can
// change it between two calls.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace fake_cuda {

constexpr int64_t kGiB = int64_t{1} << 30;

inline int64_t read_setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::atoll(text);
}

inline int device_count() { return static_cast<int>(read_setting("FAKE_CUDA_DEVICES", 2)); }

// The memory of each device, in bytes.
inline int64_t device_memory() { return read_setting("FAKE_CUDA_MEMORY", 8 * kGiB); }

}  // namespace fake_cuda
