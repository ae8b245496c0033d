#include "core/inference_thread.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "core/threads.h"

namespace karlo {

// Shared with the thread, which may outlive its owner.
struct InferenceThread::Queue {
  explicit Queue(Finished finished) : finished(std::move(finished)) {}

  void run(int threads);
  std::shared_ptr<Job> take();
  void poll() const;

  const Finished finished;
  std::mutex mutex;  // guards the members below
  std::condition_variable wake;
  std::deque<std::shared_ptr<Job>> jobs;
  bool running = false;  // whether a job is being executed
  bool stopping = false;
  std::atomic<bool> idle{true};  // whether there is no job to take; read without the lock
};

InferenceThread::InferenceThread(int threads, Finished finished)
    : queue_(std::make_shared<Queue>(std::move(finished))),
      thread_([queue = queue_, threads] { queue->run(threads); }) {}

InferenceThread::~InferenceThread() { stop(); }

void InferenceThread::submit(std::shared_ptr<Job> job) {
  {
    const std::lock_guard<std::mutex> lock(queue_->mutex);
    queue_->jobs.push_back(std::move(job));
    queue_->idle = false;
  }
  queue_->wake.notify_one();
}

void InferenceThread::withdraw(const Job& job) {
  const std::lock_guard<std::mutex> lock(queue_->mutex);
  auto& jobs = queue_->jobs;
  const auto is_job = [&job](const std::shared_ptr<Job>& queued) { return queued.get() == &job; };
  jobs.erase(std::remove_if(jobs.begin(), jobs.end(), is_job), jobs.end());
}

void InferenceThread::stop() {
  std::deque<std::shared_ptr<Job>> dropped;
  bool running = false;
  {
    const std::lock_guard<std::mutex> lock(queue_->mutex);
    queue_->stopping = true;
    queue_->idle = false;
    queue_->jobs.swap(dropped);
    running = queue_->running;
  }
  queue_->wake.notify_one();
  if (!thread_.joinable()) return;
  // Without a job, the thread ends at once, and must not outlive LibTorch when the process exits.
  if (running) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void InferenceThread::Queue::run(int threads) {
  // OpenMP keeps the size of its team per calling thread, so it must be set here.
  set_threads_of_this_thread(threads);
  const c10::InferenceMode inference_mode;
  while (auto job = take()) {
    job->execute();
    {
      const std::lock_guard<std::mutex> lock(mutex);
      running = false;
    }
    finished(std::move(job));
    poll();
  }
}

// Waits for the next job. Returns nullptr if the thread is to end.
std::shared_ptr<Job> InferenceThread::Queue::take() {
  std::unique_lock<std::mutex> lock(mutex);
  wake.wait(lock, [this] { return stopping || !jobs.empty(); });
  if (stopping) return nullptr;
  auto job = std::move(jobs.front());
  jobs.pop_front();
  idle = jobs.empty();
  running = true;
  return job;
}

// Waking a sleeping thread takes tens of microseconds. In a loop, the next call often comes sooner.
void InferenceThread::Queue::poll() const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
  while (idle.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
}

}  // namespace karlo
