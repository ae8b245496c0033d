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

// Calls under way, of all engines of the process.
std::atomic<int> all_pending{0};

struct Pending {
  Pending() { ++all_pending; }
  ~Pending() { --all_pending; }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
};

}  // namespace

// Its result or its error is made on the inference thread and turned into JavaScript on the other.
class Engine::PromiseJob final : public Job {
 public:
  PromiseJob(Napi::Env env, uint64_t id, Work work, std::shared_ptr<Engine> engine)
      : Job(id), deferred_(env), work_(std::move(work)), engine_(std::move(engine)) {}

  void Execute() noexcept override {
    try {
      resolve_ = work_();
    } catch (...) {
      error_ = std::current_exception();
    }
    work_ = nullptr;  // releases the inputs here and not when the event loop comes round
  }

  void Fail(std::exception_ptr error) { error_ = std::move(error); }

  void Settle(Napi::Env env) {
    try {
      if (error_) std::rethrow_exception(error_);
      deferred_.Resolve(resolve_(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      deferred_.Reject(ToJs(env, std::current_exception()).Value());
    }
  }

  Napi::Promise Promise() { return deferred_.Promise(); }
  std::shared_ptr<Engine> engine() const { return engine_; }

 private:
  Napi::Promise::Deferred deferred_;
  Work work_;
  Resolve resolve_;
  std::exception_ptr error_;
  std::shared_ptr<Engine> engine_;  // a forgotten engine lives until its work is settled
  const Pending pending_;
};

std::shared_ptr<Engine> Engine::Create(Napi::Env env, int threads) {
  return std::shared_ptr<Engine>(new Engine(env, threads));
}

Engine::Engine(Napi::Env env, int threads) : env_(env) {
  const auto name = Napi::String::New(env, "karlo:engine");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, /*max_queue_size=*/0,
                                      /*initial_thread_count=*/1, nullptr, nullptr, nullptr,
                                      &CallJs, &to_js_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, to_js_);
  // Registered after the function above, so it runs before that one's own clean-up: the thread is
  // joined while it can still hand its last job over.
  napi_add_env_cleanup_hook(env, &CleanUp, this);
  thread_ = std::make_unique<InferenceThread>(threads, [this](std::unique_ptr<Job> job) {
    Job* raw = job.release();
    const auto status = napi_call_threadsafe_function(to_js_, raw, napi_tsfn_blocking);
    if (status != napi_ok) delete raw;  // the environment is closing: nobody waits any more
  });
}

Engine::~Engine() { Close(); }

void Engine::CleanUp(void* engine) {
  // Dropping the queue may drop the last reference to the engine: hold one meanwhile.
  const auto self = static_cast<Engine*>(engine)->weak_from_this().lock();
  static_cast<Engine*>(engine)->Close();
}

void Engine::Close() {
  retired_ = true;
  if (to_js_ == nullptr) return;
  thread_->Stop();
  napi_remove_env_cleanup_hook(env_, &CleanUp, this);
  napi_release_threadsafe_function(std::exchange(to_js_, nullptr), napi_tsfn_release);
}

Napi::Promise Engine::Submit(Napi::Env env, uint64_t id, Work work) {
  if (retired_) throw CodedError(kDisposed, "The Engine was disposed before this call");
  auto job = std::make_unique<PromiseJob>(env, id, std::move(work), shared_from_this());
  const auto promise = job->Promise();
  CountPending(+1);
  thread_->Submit(std::move(job));
  return promise;
}

bool Engine::Cancel(Napi::Env env, uint64_t id) {
  if (to_js_ == nullptr) return false;
  std::unique_ptr<Job> job = thread_->Withdraw(id);
  if (!job) return false;
  std::unique_ptr<PromiseJob> withdrawn(static_cast<PromiseJob*>(job.release()));
  withdrawn->Fail(
      std::make_exception_ptr(CodedError(kAborted, "The call was withdrawn before it had begun")));
  Settle(env, std::move(withdrawn));
  return true;
}

void Engine::Settle(Napi::Env env, std::unique_ptr<PromiseJob> job) {
  const Napi::HandleScope scope(env);
  job->Settle(env);
  CountPending(-1);
}

bool Engine::Busy() { return all_pending > 0; }

void Engine::CountPending(int change) {
  const bool was_idle = pending_ == 0;
  pending_ += change;
  const bool is_idle = pending_ == 0;
  if (to_js_ == nullptr || was_idle == is_idle) return;
  (is_idle ? napi_unref_threadsafe_function : napi_ref_threadsafe_function)(env_, to_js_);
}

void Engine::CallJs(napi_env env, napi_value /*callback*/, void* /*context*/, void* data) {
  std::unique_ptr<PromiseJob> job(static_cast<PromiseJob*>(static_cast<Job*>(data)));
  if (env == nullptr) return;  // the environment is closing: nobody waits any more
  const auto engine = job->engine();
  try {
    engine->Settle(env, std::move(job));
  } catch (const Napi::Error&) {
    // The worker is being terminated: its promises cannot be settled any more.
  }
}

namespace {

// exit() destroys LibTorch's static objects, and a thread that computes would find them gone: what
// ends the process in the middle of a call must not wait for the call's end, nor crash.
void LeaveIfBusy(int status) {
  if (Engine::Busy()) std::_Exit(status);
}

void Leave(int status) {
  std::fflush(nullptr);
  std::_Exit(status);
}

}  // namespace

Napi::Value ProcessExit(const Napi::CallbackInfo& info) {
  const bool always = ReadBoolean(info[1], "always");
  const auto leave = always ? Leave : LeaveIfBusy;
#ifdef __GLIBC__
  // Registered last, called first: before any object is destroyed.
  on_exit([](int status, void* leave) { reinterpret_cast<void (*)(int)>(leave)(status); },
          reinterpret_cast<void*>(leave));
#else
  leave(static_cast<int>(ReadInteger(info[0], "status", 0, 255)));
#endif
  return info.Env().Undefined();
}

uint64_t ReadJobId(const Napi::Value& value) {
  return static_cast<uint64_t>(ReadInteger(value, "id", 0, int64_t{1} << 53));
}

Napi::Value EngineCreate(const Napi::CallbackInfo& info) {
  const int64_t threads = ReadInteger(info[0], "threads", 1, 1024);
  return Handle<Engine>::Wrap(info.Env(), Engine::Create(info.Env(), static_cast<int>(threads)));
}

Napi::Value EngineCancel(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  return Napi::Boolean::New(info.Env(), engine->Cancel(info.Env(), ReadJobId(info[1])));
}

Napi::Value EngineSetThreads(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto threads = static_cast<int>(ReadInteger(info[2], "threads", 1, 1024));
  return engine->Submit(info.Env(), id, [threads]() -> Engine::Resolve {
    SetThreadsOfThisThread(threads);
    return [](Napi::Env env) { return env.Undefined(); };
  });
}

// What is in flight or queued ends first, or is withdrawn; the last job of all closes the engine.
Napi::Value EngineDispose(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::Unwrap(info[0], "engine");
  const uint64_t id = ReadJobId(info[1]);
  const auto promise = engine->Submit(info.Env(), id, [engine]() -> Engine::Resolve {
    return [engine](Napi::Env env) -> Napi::Value {
      engine->Close();
      return env.Undefined();
    };
  });
  engine->Retire();
  return promise;
}

}  // namespace karlo
