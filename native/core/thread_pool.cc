#include "core/thread_pool.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace karlo {
namespace {

// How long a thread polls: longer than the time between two operators. A thread that waits longer
// sleeps, so that nobody waits for a thread that has no processor.
constexpr std::chrono::microseconds kPollTime{50};

inline void pause() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

// Polls until `condition` holds; false if it does not within kPollTime.
template <typename F>
bool poll(const F& condition) {
  const auto end = std::chrono::steady_clock::now() + kPollTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

thread_local bool is_helper = false;

}  // namespace

ThreadPool& ThreadPool::of_this_thread() {
  thread_local ThreadPool pool;
  return pool;
}

ThreadPool::~ThreadPool() { resize(1); }

void ThreadPool::run(int64_t count, int64_t grain, Part f) {
  const int64_t max_parts = std::max<int64_t>(1, count / std::max<int64_t>(1, grain));
  const int threads = is_helper ? 1 : at::get_num_threads();
  if (threads <= 1 || max_parts <= 1 || count <= 1) {
    f(0, count);
    return;
  }
  resize(threads);
  const int64_t parts = std::min<int64_t>(threads, max_parts);
  work_ = {&f, count, (count + parts - 1) / parts};
  pending_.store(threads - 1, std::memory_order_relaxed);
  round_.fetch_add(1);
  if (asleep_.load() > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  run_part(0);
  const auto done = [&] { return pending_.load() == 0; };
  if (!poll(done)) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, done);
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::resize(int threads) {
  if (static_cast<int>(helpers_.size()) == threads - 1) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& helper : helpers_) helper.join();
  helpers_.clear();
  stopping_ = false;
  // The round is read here: a helper that starts late must not miss the next one.
  const uint64_t round = round_.load();
  for (int i = 1; i < threads; ++i) helpers_.emplace_back([this, i, round] { help(i, round); });
}

void ThreadPool::help(int index, uint64_t last_round) {
  is_helper = true;
  while (await_round_after(last_round)) {
    ++last_round;
    run_part(index);
    if (pending_.fetch_sub(1) == 1) {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }
}

// Returns true when there is a new round, and false when the pool stops.
bool ThreadPool::await_round_after(uint64_t last_round) {
  const auto changed = [&] { return round_.load() != last_round || stopping_.load(); };
  if (!poll(changed)) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++asleep_;
    wake_.wait(lock, changed);
    --asleep_;
  }
  return round_.load() != last_round;
}

void ThreadPool::run_part(int index) {
  const int64_t begin = index * work_.part_size;
  const int64_t end = std::min(work_.count, begin + work_.part_size);
  if (begin >= end) return;
  try {
    (*work_.f)(begin, end);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = std::current_exception();
  }
}

}  // namespace karlo
