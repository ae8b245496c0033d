#include "addon/engine.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "addon/arguments.h"
#include "core/threads.h"

namespace karlo {
namespace {

// Pending calls of all engines of the process.
std::atomic<int> all_pending{0};

struct Pending {
  Pending() { ++all_pending; }
  ~Pending() { --all_pending; }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
};

}  // namespace

// The result or error is produced on the inference thread and converted on the JavaScript thread.
class Engine::PromiseJob final : public Job {
 public:
  PromiseJob(Napi::Env env, uint64_t id, Work work, std::shared_ptr<Engine> engine)
      : Job(id), deferred_(env), work_(std::move(work)), engine_(std::move(engine)) {}

  void execute() noexcept override {
    try {
      resolve_ = work_();
    } catch (...) {
      error_ = std::current_exception();
    }
    work_ = nullptr;  // releases the inputs now and not when the event loop gets to it
  }

  void fail(std::exception_ptr error) { error_ = std::move(error); }

  void settle(Napi::Env env) {
    try {
      if (error_) std::rethrow_exception(error_);
      deferred_.Resolve(resolve_(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      deferred_.Reject(to_js(env, std::current_exception()).Value());
    }
  }

  Napi::Promise promise() { return deferred_.Promise(); }
  std::shared_ptr<Engine> engine() const { return engine_; }

 private:
  Napi::Promise::Deferred deferred_;
  Work work_;
  Resolve resolve_;
  std::exception_ptr error_;
  std::shared_ptr<Engine> engine_;  // an engine without handles lives until its work is settled
  const Pending pending_;
};

std::shared_ptr<Engine> Engine::create(Napi::Env env, int threads) {
  return std::shared_ptr<Engine>(new Engine(env, threads));
}

Engine::Engine(Napi::Env env, int threads) : env_(env) {
  const auto name = Napi::String::New(env, "karlo:engine");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, /*max_queue_size=*/0,
                                      /*initial_thread_count=*/1, nullptr, nullptr, nullptr,
                                      &call_js, &to_js_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, to_js_);
  // Registered after the function above, so it runs before that function's own cleanup: the thread
  // is joined while it can still deliver its last job.
  napi_add_env_cleanup_hook(env, &clean_up, this);
  thread_ = std::make_unique<InferenceThread>(threads, [this](std::unique_ptr<Job> job) {
    Job* raw = job.release();
    const auto status = napi_call_threadsafe_function(to_js_, raw, napi_tsfn_blocking);
    if (status != napi_ok) delete raw;  // the environment is closing
  });
}

Engine::~Engine() { close(); }

void Engine::clean_up(void* engine) {
  // Dropping the queue may drop the last reference to the engine, so one is held here.
  const auto self = static_cast<Engine*>(engine)->weak_from_this().lock();
  static_cast<Engine*>(engine)->close();
}

void Engine::close() {
  retired_ = true;
  if (to_js_ == nullptr) return;
  thread_->stop();
  napi_remove_env_cleanup_hook(env_, &clean_up, this);
  napi_release_threadsafe_function(std::exchange(to_js_, nullptr), napi_tsfn_release);
}

Napi::Promise Engine::submit(Napi::Env env, uint64_t id, Work work) {
  if (retired_) throw CodedError(kDisposed, "The Engine was disposed before this call");
  auto job = std::make_unique<PromiseJob>(env, id, std::move(work), shared_from_this());
  const auto promise = job->promise();
  count_pending(+1);
  thread_->submit(std::move(job));
  return promise;
}

bool Engine::cancel(Napi::Env env, uint64_t id) {
  if (to_js_ == nullptr) return false;
  std::unique_ptr<Job> job = thread_->withdraw(id);
  if (!job) return false;
  std::unique_ptr<PromiseJob> canceled(static_cast<PromiseJob*>(job.release()));
  canceled->fail(
      std::make_exception_ptr(CodedError(kAborted, "The call was canceled before it started")));
  settle(env, std::move(canceled));
  return true;
}

void Engine::settle(Napi::Env env, std::unique_ptr<PromiseJob> job) {
  const Napi::HandleScope scope(env);
  job->settle(env);
  count_pending(-1);
}

bool Engine::is_busy() { return all_pending > 0; }

void Engine::count_pending(int change) {
  const bool was_idle = pending_ == 0;
  pending_ += change;
  const bool is_idle = pending_ == 0;
  if (to_js_ == nullptr || was_idle == is_idle) return;
  (is_idle ? napi_unref_threadsafe_function : napi_ref_threadsafe_function)(env_, to_js_);
}

void Engine::call_js(napi_env env, napi_value /*callback*/, void* /*context*/, void* data) {
  std::unique_ptr<PromiseJob> job(static_cast<PromiseJob*>(static_cast<Job*>(data)));
  if (env == nullptr) return;  // the environment is closing
  const auto engine = job->engine();
  try {
    engine->settle(env, std::move(job));
  } catch (const Napi::Error&) {
    // The worker is being terminated: its promises can no longer be settled.
  }
}

namespace {

// exit() destroys LibTorch's static objects, which a thread in the middle of a call still uses.
// Exiting must neither wait for the call to end nor crash.
void exit_if_busy(int status) {
  if (Engine::is_busy()) std::_Exit(status);
}

void exit_now(int status) {
  std::fflush(nullptr);
  std::_Exit(status);
}

}  // namespace

Napi::Value process_exit(const Napi::CallbackInfo& info) {
  const bool always = read_boolean(info[1], "always");
  const auto leave = always ? exit_now : exit_if_busy;
#ifdef __GLIBC__
  // Handlers run in reverse order of registration: this one runs before any object is destroyed.
  on_exit([](int status, void* leave) { reinterpret_cast<void (*)(int)>(leave)(status); },
          reinterpret_cast<void*>(leave));
#else
  leave(static_cast<int>(read_integer(info[0], "status", 0, 255)));
#endif
  return info.Env().Undefined();
}

uint64_t read_job_id(const Napi::Value& value) {
  return static_cast<uint64_t>(read_integer(value, "id", 0, int64_t{1} << 53));
}

Napi::Value engine_create(const Napi::CallbackInfo& info) {
  const int64_t threads = read_integer(info[0], "threads", 1, 1024);
  return Handle<Engine>::wrap(info.Env(), Engine::create(info.Env(), static_cast<int>(threads)));
}

Napi::Value engine_cancel(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  return Napi::Boolean::New(info.Env(), engine->cancel(info.Env(), read_job_id(info[1])));
}

Napi::Value engine_set_threads(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto threads = static_cast<int>(read_integer(info[2], "threads", 1, 1024));
  return engine->submit(info.Env(), id, [threads]() -> Engine::Resolve {
    set_threads_of_this_thread(threads);
    return [](Napi::Env env) { return env.Undefined(); };
  });
}

// Current and queued work completes, or is canceled, first. The last job closes the engine.
Napi::Value engine_dispose(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  const uint64_t id = read_job_id(info[1]);
  const auto promise = engine->submit(info.Env(), id, [engine]() -> Engine::Resolve {
    return [engine](Napi::Env env) -> Napi::Value {
      engine->close();
      return env.Undefined();
    };
  });
  engine->retire();
  return promise;
}

}  // namespace karlo
