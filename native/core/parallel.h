#pragma once

#include <algorithm>
#include <cstdint>

#include "core/thread_pool.h"

namespace karlo {

// The fewest multiplications for which a second thread pays.
constexpr int64_t kMinWorkPerThread = 16384;

// Calls f(0) to f(count - 1) on the threads of the calling thread's pool. Each call takes about
// `work` multiplications.
template <typename F>
void parallel(int64_t count, int64_t work, const F& f) {
  const int64_t grain = std::max<int64_t>(1, kMinWorkPerThread / std::max<int64_t>(1, work));
  ThreadPool::of_this_thread().run(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}

}  // namespace karlo
