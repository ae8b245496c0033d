#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace karlo {

// A unit of work for an inference thread.
class Job {
 public:
  explicit Job(uint64_t id) : id_(id) {}
  virtual ~Job() = default;
  uint64_t id() const { return id_; }
  // Runs on the inference thread. Must not throw and must not touch Node-API.
  virtual void execute() noexcept = 0;

 private:
  uint64_t id_;
};

// A thread that runs jobs in the order of their submission. Each model has its own thread instead
// of libuv's pool because OpenMP creates a team of threads for each calling thread.
class InferenceThread {
 public:
  using Finished = std::function<void(std::unique_ptr<Job>)>;

  // `threads`: the size of this thread's OpenMP team. `finished` is called on the inference thread
  // with each completed job.
  InferenceThread(int threads, Finished finished);
  ~InferenceThread();

  void submit(std::unique_ptr<Job> job);
  // Removes a job from the queue. Returns nullptr if it has started, has completed, or never
  // existed.
  std::unique_ptr<Job> withdraw(uint64_t id);
  // Stops the thread after the current job and drops the queued ones. Idempotent.
  void stop();

 private:
  void run();
  void poll_queue() const;

  const int threads_;
  Finished finished_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool stopping_ = false;
  std::atomic<bool> idle_{true};  // whether the queue is empty; read without the lock
  std::thread thread_;
};

}  // namespace karlo
