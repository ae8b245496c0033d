#include "core/inference_thread.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/threads.h"

namespace karlo {

InferenceThread::InferenceThread(int threads, Finished finished)
    : threads_(threads), finished_(std::move(finished)), thread_([this] { run(); }) {}

InferenceThread::~InferenceThread() { stop(); }

void InferenceThread::submit(std::unique_ptr<Job> job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(job));
    idle_ = false;
  }
  wake_.notify_one();
}

std::unique_ptr<Job> InferenceThread::withdraw(uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto found = std::find_if(queue_.begin(), queue_.end(),
                            [id](const std::unique_ptr<Job>& job) { return job->id() == id; });
  if (found == queue_.end()) return nullptr;
  auto job = std::move(*found);
  queue_.erase(found);
  return job;
}

void InferenceThread::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    idle_ = false;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  queue_.clear();
}

void InferenceThread::run() {
  // OpenMP keeps the size of its team per calling thread, so it must be set here.
  set_threads_of_this_thread(threads_);
  const c10::InferenceMode inference_mode;
  while (true) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      idle_ = queue_.empty();
    }
    job->execute();
    finished_(std::move(job));
    poll_queue();
  }
}

// Waking a sleeping thread takes tens of microseconds. In a loop, the next call often comes sooner.
void InferenceThread::poll_queue() const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
  while (idle_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
}

}  // namespace karlo
