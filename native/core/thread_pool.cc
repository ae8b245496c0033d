#include "core/thread_pool.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace karlo::nets::cpu {
namespace {

// How long a thread waits awake: longer than what lies between two operators. Whoever waits longer
// sleeps, so that nobody waits for a thread that has no processor.
constexpr std::chrono::microseconds kPatience{50};

inline void pause() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

template <typename F>
bool soon(const F& happened) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    for (int i = 0; i < 32; ++i) {
      if (happened()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

thread_local bool helps = false;

}  // namespace

Team& Team::of_this_thread() {
  thread_local Team team;
  return team;
}

Team::~Team() { resize(1); }

void Team::run(int64_t count, int64_t grain, Part f) {
  const int64_t worthwhile = std::max<int64_t>(1, count / std::max<int64_t>(1, grain));
  const int threads = helps ? 1 : at::get_num_threads();
  if (threads <= 1 || worthwhile <= 1 || count <= 1) {
    f(0, count);
    return;
  }
  resize(threads);
  const int64_t parts = std::min<int64_t>(threads, worthwhile);
  work_ = {&f, count, (count + parts - 1) / parts};
  pending_.store(threads - 1, std::memory_order_relaxed);
  round_.fetch_add(1);
  if (asleep_.load() > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  do_part(0);
  const auto done = [&] { return pending_.load() == 0; };
  if (!soon(done)) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, done);
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Team::resize(int threads) {
  if (static_cast<int>(helpers_.size()) == threads - 1) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    wake_.notify_all();
  }
  for (std::thread& helper : helpers_) helper.join();
  helpers_.clear();
  ending_ = false;
  // The round is read here: a helper that begins late must not miss the next one.
  const uint64_t seen = round_.load();
  for (int i = 1; i < threads; ++i) helpers_.emplace_back([this, i, seen] { help(i, seen); });
}

void Team::help(int index, uint64_t seen) {
  helps = true;
  while (await(seen)) {
    ++seen;
    do_part(index);
    if (pending_.fetch_sub(1) == 1) {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }
}

// Until there is a new round; false at the end.
bool Team::await(uint64_t seen) {
  const auto news = [&] { return round_.load() != seen || ending_.load(); };
  if (!soon(news)) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++asleep_;
    wake_.wait(lock, news);
    --asleep_;
  }
  return round_.load() != seen;
}

void Team::do_part(int index) {
  const int64_t begin = index * work_.size, end = std::min(work_.count, begin + work_.size);
  if (begin >= end) return;
  try {
    (*work_.f)(begin, end);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = std::current_exception();
  }
}

}  // namespace karlo::nets::cpu
