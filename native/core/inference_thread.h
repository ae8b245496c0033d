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

/// A piece of work for an inference thread.
class Job {
 public:
  explicit Job(uint64_t id) : id_(id) {}
  virtual ~Job() = default;
  uint64_t id() const { return id_; }
  /// Runs on the inference thread. Must not throw and must not touch Node-API.
  virtual void Execute() noexcept = 0;

 private:
  uint64_t id_;
};

/// One thread that runs jobs in the order in which they came. One thread a model, and not libuv's
/// pool, because OpenMP builds a team of threads for each thread that calls it.
class InferenceThread {
 public:
  using Finished = std::function<void(std::unique_ptr<Job>)>;

  /// `threads`: the size of this thread's OpenMP team. `finished` is called on the inference thread
  /// with each job that ran.
  InferenceThread(int threads, Finished finished);
  ~InferenceThread();

  void Submit(std::unique_ptr<Job> job);
  /// Takes a job out of the queue; nullptr if it runs already, has run, or never was.
  std::unique_ptr<Job> Withdraw(uint64_t id);
  /// Ends the thread after the job in flight; drops what is queued. Idempotent.
  void Stop();

 private:
  void Run();
  void AwaitSoon() const;

  const int threads_;
  Finished finished_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool stopping_ = false;
  std::atomic<bool> idle_{true};  // nothing to do: read without the lock
  std::thread thread_;
};

}  // namespace karlo
