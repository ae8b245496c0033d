#pragma once

#include <ATen/Parallel.h>

namespace karlo {

/// Sets the size of the calling thread's own OpenMP team, for good. LibTorch sets a thread's team
/// itself, to whatever any thread asked for last, when that thread first computes: asking for the
/// number makes it do so now and not later.
inline void SetThreadsOfThisThread(int threads) {
  at::get_num_threads();
  at::set_num_threads(threads);
}

}  // namespace karlo
