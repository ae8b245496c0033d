#pragma once

#include <ATen/Parallel.h>

namespace karlo {

// Sets the size of the calling thread's OpenMP team. LibTorch itself sets the size of a thread's
// team when the thread first computes, to the number that any thread asked for last.
// get_num_threads() makes it do so now and not later.
inline void set_threads_of_this_thread(int threads) {
  at::get_num_threads();
  at::set_num_threads(threads);
}

}  // namespace karlo
