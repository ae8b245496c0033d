#include "core/thread_pool.h"

#include <ATen/Parallel.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <vector>

#include "core/parallel.h"

namespace karlo::testing {
namespace {

constexpr int64_t kMuchWork = int64_t{1} << 20;

TEST_CASE("parallel() calls each index exactly once, whatever the number of threads") {
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    for (const int64_t count : {0, 1, 2, 7, 1000}) {
      CAPTURE(threads, count);
      std::vector<int> calls(count);
      parallel(count, kMuchWork, [&](int64_t i) { ++calls[i]; });
      CHECK(calls == std::vector<int>(count, 1));
    }
  }
}

TEST_CASE("a thread pool gives each part at least the grain") {
  at::set_num_threads(3);
  std::atomic<int> parts{0};
  ThreadPool::of_this_thread().run(10, 5, [&](int64_t begin, int64_t end) {
    ++parts;
    if (end - begin < 5) throw std::logic_error("a part is too small");
  });
  CHECK(parts == 2);
}

TEST_CASE("a thread pool rethrows what a part throws, and can be used again") {
  at::set_num_threads(2);
  const auto fail = [](int64_t i) {
    if (i == 1) throw std::runtime_error("part 1");
  };
  CHECK_THROWS_WITH(parallel(2, kMuchWork, fail), "part 1");
  std::atomic<int> calls{0};
  parallel(2, kMuchWork, [&](int64_t) { ++calls; });
  CHECK(calls == 2);
}

TEST_CASE("a part that calls parallel() itself runs it on its own thread") {
  at::set_num_threads(2);
  std::atomic<int> calls{0};
  parallel(2, kMuchWork, [&](int64_t i) {
    if (i == 1) parallel(8, kMuchWork, [&](int64_t) { ++calls; });
  });
  CHECK(calls == 8);
}

}  // namespace
}  // namespace karlo::testing
