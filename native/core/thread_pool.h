#pragma once

#include <c10/util/FunctionRef.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace karlo {

// The helper threads of one thread, for kernels that take a few microseconds each. OpenMP's threads
// either sleep between two kernels, and take longer to wake than a kernel takes, or occupy
// processors that others need. These poll for work for a short time before they sleep.
class ThreadPool {
 public:
  // The calling thread's pool.
  static ThreadPool& of_this_thread();

  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Calls f(begin, end) for parts of the range from 0 to `count`, on as many threads as LibTorch
  // would use. Each part has at least `grain` items. Rethrows what f throws.
  using Part = c10::function_ref<void(int64_t, int64_t)>;
  void run(int64_t count, int64_t grain, Part f);

 private:
  struct Work {
    const Part* f;
    int64_t count, part_size;
  };

  void resize(int threads);
  void help(int index, uint64_t last_round);
  bool await_round_after(uint64_t last_round);
  void run_part(int index);

  std::vector<std::thread> helpers_;
  Work work_{};
  std::atomic<uint64_t> round_{0};
  std::atomic<int> pending_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards the members below
  std::condition_variable wake_, done_;
  std::atomic<int> asleep_{0};
  std::exception_ptr error_;
};

}  // namespace karlo
