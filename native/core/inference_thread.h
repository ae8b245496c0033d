#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace karlo {

// A unit of work for an inference thread.
class Job {
 public:
  virtual ~Job() = default;
  // Runs on the inference thread. Must not throw and must not touch Node-API.
  virtual void execute() noexcept = 0;
};

// A thread that runs jobs in the order of their submission. Each model has its own thread instead
// of libuv's pool because OpenMP creates a team of threads for each calling thread.
class InferenceThread {
 public:
  using Finished = std::function<void(std::shared_ptr<Job>)>;

  // `threads`: the size of this thread's OpenMP team. `finished` is called on the inference thread
  // with each completed job, even after stop() if that job was running.
  InferenceThread(int threads, Finished finished);
  ~InferenceThread();

  void submit(std::shared_ptr<Job> job);
  // Removes a job from the queue, if it has not started.
  void withdraw(const Job& job);
  // Drops the queued jobs and ends the thread. Does not wait for a running job, which may never
  // end: the thread then ends after that job. Idempotent.
  void stop();

 private:
  struct Queue;

  std::shared_ptr<Queue> queue_;
  std::thread thread_;
};

}  // namespace karlo
