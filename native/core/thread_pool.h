#pragma once

#include <c10/util/FunctionRef.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace karlo::nets::cpu {

// The threads that help one thread, for kernels of a few microseconds each: OpenMP's either sleep
// between them, and take longer to wake than the kernel takes, or keep their processors from
// whoever else wants them. These look for work and yield, for a while, before they sleep.
class Team {
 public:
  // The calling thread's own.
  static Team& of_this_thread();

  Team() = default;
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Calls f(begin, end) for parts of 0 to `count`, on as many threads as LibTorch would use, each
  // of which gets at least `grain`. Throws what f throws.
  using Part = c10::function_ref<void(int64_t, int64_t)>;
  void run(int64_t count, int64_t grain, Part f);

 private:
  struct Work {
    const Part* f;
    int64_t count, size;  // in all, and of a part
  };

  void resize(int threads);
  void help(int index, uint64_t seen);
  bool await(uint64_t seen);
  void do_part(int index);

  std::vector<std::thread> helpers_;
  Work work_{};
  std::atomic<uint64_t> round_{0};
  std::atomic<int> pending_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;  // of what follows
  std::condition_variable wake_, done_;
  std::atomic<int> asleep_{0};
  std::exception_ptr error_;
};

}  // namespace karlo::nets::cpu
