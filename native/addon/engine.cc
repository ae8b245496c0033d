#include "addon/engine.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

#include "addon/arguments.h"
#include "core/threads.h"

namespace karlo {
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

#ifdef __GLIBC__
// Handlers run in reverse order of registration: this one runs before any object is destroyed.
void exit_with(void (*leave)(int)) {
  on_exit([](int status, void* leave) { reinterpret_cast<void (*)(int)>(leave)(status); },
          reinterpret_cast<void*>(leave));
}
#endif

// Calls of all engines of the process that are queued, running or not yet settled.
std::atomic<int> all_calls{0};

struct Counted {
  Counted() { ++all_calls; }
  ~Counted() { --all_calls; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

}  // namespace

// The result or error is produced on the inference thread and converted on the JavaScript thread. A
// running call may outlive the engine and its environment, so its destructor uses neither.
class Engine::Call final : public Job {
 public:
  Call(Napi::Env env, uint64_t id, Work work, std::weak_ptr<Engine> engine)
      : id_(id), deferred_(env), work_(std::move(work)), engine_(std::move(engine)) {}

  void execute() noexcept override {
    try {
      resolve_ = work_();
    } catch (...) {
      error_ = std::current_exception();
    }
    work_ = nullptr;  // releases the inputs now and not when the event loop gets to it
  }

  // After execute().
  void settle(Napi::Env env) {
    try {
      if (error_) std::rethrow_exception(error_);
      deferred_.Resolve(resolve_(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      reject(env, std::current_exception());
    }
  }

  void reject(Napi::Env env, const std::exception_ptr& error) {
    deferred_.Reject(to_js(env, error).Value());
  }

  uint64_t id() const { return id_; }
  Napi::Promise promise() const { return deferred_.Promise(); }
  std::shared_ptr<Engine> engine() const { return engine_.lock(); }

 private:
  const uint64_t id_;
  Napi::Promise::Deferred deferred_;
  Work work_;
  Resolve resolve_;
  std::exception_ptr error_;
  const std::weak_ptr<Engine> engine_;
  const Counted counted_;
};

// Takes finished calls to the JavaScript thread, until the engine is closed.
class Engine::Outbox {
 public:
  explicit Outbox(napi_env env) {
    const auto name = Napi::String::New(env, "karlo:engine");
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, /*max_queue_size=*/0,
                                        /*initial_thread_count=*/1, nullptr, nullptr, nullptr,
                                        &Engine::settle, &to_js_) != napi_ok) {
      throw Napi::Error::New(env);
    }
    set_keeps_alive(env, false);
  }

  // Called on the inference thread, like nothing else here.
  void send(std::shared_ptr<Job> call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (to_js_ == nullptr) return;
    auto data = std::make_unique<std::shared_ptr<Job>>(std::move(call));
    const auto status = napi_call_threadsafe_function(to_js_, data.get(), napi_tsfn_blocking);
    if (status == napi_ok) data.release();  // otherwise, the environment is closing
  }

  // Whether the process stays alive.
  void set_keeps_alive(napi_env env, bool alive) {
    (alive ? napi_ref_threadsafe_function : napi_unref_threadsafe_function)(env, to_js_);
  }

  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    napi_release_threadsafe_function(std::exchange(to_js_, nullptr), napi_tsfn_release);
  }

 private:
  std::mutex mutex_;  // guards to_js_, which only close() changes
  napi_threadsafe_function to_js_ = nullptr;
};

std::shared_ptr<Engine> Engine::create(Napi::Env env, int threads) {
  return std::shared_ptr<Engine>(new Engine(env, threads));
}

Engine::Engine(Napi::Env env, int threads) : env_(env), outbox_(std::make_shared<Outbox>(env)) {
  thread_ = std::make_unique<InferenceThread>(
      threads, [outbox = outbox_](std::shared_ptr<Job> call) { outbox->send(std::move(call)); });
  // Registered after the outbox's function, so it runs before that function's own cleanup.
  napi_add_env_cleanup_hook(env, &clean_up, this);
}

Engine::~Engine() { close(); }

void Engine::clean_up(void* engine) {
  // Closing drops the pending calls, which may hold the last reference to the engine.
  const auto self = static_cast<Engine*>(engine)->weak_from_this().lock();
  static_cast<Engine*>(engine)->close();
#ifdef __GLIBC__
  // A running call goes on after its worker has ended, and the main thread may not know of it.
  if (is_busy()) exit_with(exit_if_busy);
#endif
}

void Engine::close() {
  if (std::exchange(closed_, true)) return;
  retired_ = true;
  thread_->stop();
  napi_remove_env_cleanup_hook(env_, &clean_up, this);
  outbox_->close();
  pending_.clear();
  self_ = nullptr;
}

Napi::Promise Engine::submit(Napi::Env env, uint64_t id, Work work) {
  if (retired_) throw CodedError(kDisposed, "The Engine was disposed before this call");
  auto call = std::make_shared<Call>(env, id, std::move(work), weak_from_this());
  if (pending_.empty()) {
    self_ = shared_from_this();
    outbox_->set_keeps_alive(env, true);
  }
  pending_.push_back(call);
  const auto promise = call->promise();
  thread_->submit(std::move(call));
  return promise;
}

bool Engine::cancel(Napi::Env env, uint64_t id) {
  const auto has_id = [id](const std::shared_ptr<Call>& call) { return call->id() == id; };
  const auto found = std::find_if(pending_.begin(), pending_.end(), has_id);
  if (found == pending_.end()) return false;
  const std::shared_ptr<Call> call = *found;
  thread_->withdraw(*call);
  forget(call);
  call->reject(env, std::make_exception_ptr(CodedError(kAborted, "The call was canceled")));
  return true;
}

// The last job closes the engine.
Napi::Promise Engine::dispose(Napi::Env env, uint64_t id) {
  const auto promise = submit(env, id, [weak = weak_from_this()]() -> Resolve {
    return [weak](Napi::Env env) -> Napi::Value {
      if (const auto engine = weak.lock()) engine->close();
      return env.Undefined();
    };
  });
  retired_ = true;
  return promise;
}

bool Engine::is_busy() { return all_calls > 0; }

// Removes a pending call. Returns false if it is no longer pending, because it was canceled.
bool Engine::forget(const std::shared_ptr<Call>& call) {
  const auto found = std::find(pending_.begin(), pending_.end(), call);
  if (found == pending_.end()) return false;
  pending_.erase(found);
  if (!pending_.empty()) return true;
  outbox_->set_keeps_alive(env_, false);
  self_ = nullptr;  // the caller holds another reference
  return true;
}

void Engine::settle(napi_env env, napi_value /*callback*/, void* /*context*/, void* data) {
  const std::unique_ptr<std::shared_ptr<Job>> job(static_cast<std::shared_ptr<Job>*>(data));
  if (env == nullptr) return;  // the environment is closing
  const auto call = std::static_pointer_cast<Call>(*job);
  const auto engine = call->engine();
  if (!engine || !engine->forget(call)) return;
  const Napi::HandleScope scope(env);
  try {
    call->settle(env);
  } catch (const Napi::Error&) {
    // The worker is being terminated: its promises can no longer be settled.
  }
}

Napi::Value process_exit(const Napi::CallbackInfo& info) {
  const bool always = read_boolean(info[1], "always");
  const auto leave = always ? exit_now : exit_if_busy;
#ifdef __GLIBC__
  exit_with(leave);
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

Napi::Value engine_dispose(const Napi::CallbackInfo& info) {
  const auto engine = Handle<Engine>::unwrap(info[0], "engine");
  return engine->dispose(info.Env(), read_job_id(info[1]));
}

}  // namespace karlo
