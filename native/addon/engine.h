#pragma once

#include <napi.h>

#include <functional>
#include <list>
#include <memory>

#include "addon/handle.h"
#include "core/inference_thread.h"

namespace karlo {

// An inference thread that takes work from the JavaScript thread and returns promises to it.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Creates the JavaScript value of a result, on the JavaScript thread.
  using Resolve = std::function<Napi::Value(Napi::Env)>;
  // Runs on the inference thread. Owns (references) everything it uses. May throw.
  using Work = std::function<Resolve()>;

  // Whether any engine of the process has calls that are queued, running or not yet settled.
  static bool is_busy();
  static std::shared_ptr<Engine> create(Napi::Env env, int threads);
  ~Engine();

  // Queues the work. If the work throws, the promise is rejected with that error.
  Napi::Promise submit(Napi::Env env, uint64_t id, Work work);
  // Rejects the promise of a pending call with ERR_KARLO_ABORTED. Queued work is removed; running
  // work continues, and its result is dropped. Returns false if no such call is pending.
  bool cancel(Napi::Env env, uint64_t id);
  // Closes the engine after the work that was submitted before. From now on, submit() throws
  // ERR_KARLO_DISPOSED.
  Napi::Promise dispose(Napi::Env env, uint64_t id);

 private:
  class Call;
  class Outbox;

  Engine(Napi::Env env, int threads);
  void close();
  bool forget(const std::shared_ptr<Call>& call);
  static void settle(napi_env env, napi_value callback, void* context, void* data);
  static void clean_up(void* engine);

  napi_env env_;
  bool retired_ = false;
  bool closed_ = false;
  // Used on the JavaScript thread. While there are any, the process and this engine stay alive.
  std::list<std::shared_ptr<Call>> pending_;
  std::shared_ptr<Engine> self_;
  std::shared_ptr<Outbox> outbox_;
  std::unique_ptr<InferenceThread> thread_;
};

template <>
struct Traits<Engine> {
  static constexpr char kName[] = "Engine";
  static constexpr napi_type_tag kTag{0x6a2e97d1c4b84f05, 0xa3de1b9f70c6524e};
  static void release(Napi::Env /*env*/, Engine& /*engine*/) {}
};

// JavaScript assigns the ids of jobs. They are safe integers.
uint64_t read_job_id(const Napi::Value& value);

Napi::Value engine_create(const Napi::CallbackInfo& info);
// Registers an exit handler: see addon-types.ts.
Napi::Value process_exit(const Napi::CallbackInfo& info);
Napi::Value engine_cancel(const Napi::CallbackInfo& info);
Napi::Value engine_set_threads(const Napi::CallbackInfo& info);
Napi::Value engine_dispose(const Napi::CallbackInfo& info);

}  // namespace karlo
