#include "core/inference_thread.h"

#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace karlo::testing {
namespace {

class Task final : public Job {
 public:
  explicit Task(std::function<void()> work) : work_(std::move(work)) {}
  void execute() noexcept override { work_(); }

 private:
  std::function<void()> work_;
};

std::shared_ptr<Job> task(std::function<void()> work) {
  return std::make_shared<Task>(std::move(work));
}

// A job that runs until it is told to end.
class Blocker {
 public:
  std::shared_ptr<Job> job() {
    return task([this, end = end_.get_future().share()] {
      started_.set_value();
      end.wait();
    });
  }
  void await_start() { started_.get_future().wait(); }
  void end() { end_.set_value(); }

 private:
  std::promise<void> started_, end_;
};

TEST_CASE("an inference thread runs jobs in order, and reports each") {
  std::vector<int> order;
  std::promise<void> third;
  int finished = 0;
  InferenceThread thread(1, [&](std::shared_ptr<Job>) {
    if (++finished == 3) third.set_value();
  });
  for (const int i : {1, 2, 3}) thread.submit(task([&order, i] { order.push_back(i); }));
  third.get_future().wait();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("a job that waits can be withdrawn, and one that runs cannot") {
  Blocker blocker;
  std::promise<void> ended;
  bool ran = false;
  InferenceThread thread(1, [](std::shared_ptr<Job>) {});
  const auto running = blocker.job();
  const auto waiting = task([&ran] { ran = true; });
  thread.submit(running);
  blocker.await_start();
  thread.submit(waiting);
  thread.submit(task([&ended] { ended.set_value(); }));
  thread.withdraw(*running);
  thread.withdraw(*waiting);
  CHECK(waiting.use_count() == 1);
  blocker.end();
  ended.get_future().wait();
  CHECK_FALSE(ran);
}

TEST_CASE("stopping does not wait for a job that runs, which is still reported when it ends") {
  Blocker blocker;
  std::promise<std::shared_ptr<Job>> reported;
  auto thread = std::make_unique<InferenceThread>(
      1, [&reported](std::shared_ptr<Job> job) { reported.set_value(std::move(job)); });
  const auto running = blocker.job();
  auto waiting = task([] {});
  const std::weak_ptr<Job> dropped = waiting;
  thread->submit(running);
  blocker.await_start();
  thread->submit(std::move(waiting));
  thread.reset();
  CHECK(dropped.expired());
  blocker.end();
  CHECK(reported.get_future().get() == running);
}

}  // namespace
}  // namespace karlo::testing
