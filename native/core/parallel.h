#pragma once

#include <algorithm>
#include <cstdint>

#include "core/thread_pool.h"

namespace karlo::nets::cpu {

// Multiplications below which a second thread costs more than it gives.
constexpr int64_t kWorthwhile = 16384;

// Calls f(0) to f(count - 1), each of which takes about `work` multiplications, on the threads that
// LibTorch has.
template <typename F>
void parallel(int64_t count, int64_t work, const F& f) {
  const int64_t grain = std::max<int64_t>(1, kWorthwhile / std::max<int64_t>(1, work));
  Team::of_this_thread().run(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

}  // namespace karlo::nets::cpu
