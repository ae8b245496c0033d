#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "addon/handle.h"
#include "core/inference_thread.h"

namespace karlo {

/// An inference thread and the way back from it: work goes in from JavaScript, a promise comes out.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  /// Makes the JavaScript value of a result, on the JavaScript thread.
  using Resolve = std::function<Napi::Value(Napi::Env)>;
  /// Runs on the inference thread. Owns (references) all that it uses; may throw.
  using Work = std::function<Resolve()>;

  /// Whether any engine of the process has calls under way.
  static bool Busy();
  static std::shared_ptr<Engine> Create(Napi::Env env, int threads);
  ~Engine();

  /// Queues the work. The promise is rejected with what the work throws.
  Napi::Promise Submit(Napi::Env env, uint64_t id, Work work);
  /// Takes queued work out and rejects its promise with ERR_KARLO_ABORTED. False: it was not
  /// queued.
  bool Cancel(Napi::Env env, uint64_t id);
  /// Takes no more work: what is submitted from now on throws ERR_KARLO_DISPOSED.
  void Retire() { retired_ = true; }
  /// Ends the thread after the work in flight and drops what is queued. Idempotent.
  void Close();

 private:
  class PromiseJob;

  Engine(Napi::Env env, int threads);
  void Settle(Napi::Env env, std::unique_ptr<PromiseJob> job);
  void CountPending(int change);
  static void CallJs(napi_env env, napi_value callback, void* context, void* data);
  static void CleanUp(void* engine);

  napi_env env_;
  napi_threadsafe_function to_js_ = nullptr;
  bool retired_ = false;
  int64_t pending_ = 0;  // the JavaScript thread's own; the process stays alive while it is not 0
  std::unique_ptr<InferenceThread> thread_;
};

template <>
struct Traits<Engine> {
  static constexpr char kName[] = "Engine";
  static constexpr napi_type_tag kTag{0x6a2e97d1c4b84f05, 0xa3de1b9f70c6524e};
  static void Release(Napi::Env /*env*/, Engine& /*engine*/) {}
};

/// Ids of jobs come from JavaScript, which counts them; they are safe integers.
uint64_t ReadJobId(const Napi::Value& value);

Napi::Value EngineCreate(const Napi::CallbackInfo& info);
/// To be called when the process is about to end: calls under way then end it at once.
Napi::Value ProcessExit(const Napi::CallbackInfo& info);
Napi::Value EngineCancel(const Napi::CallbackInfo& info);
Napi::Value EngineSetThreads(const Napi::CallbackInfo& info);
Napi::Value EngineDispose(const Napi::CallbackInfo& info);

}  // namespace karlo
