#pragma once

#include <napi.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace karlo {

inline constexpr char kInvalidArgument[] = "ERR_KARLO_INVALID_ARGUMENT";
inline constexpr char kDisposed[] = "ERR_KARLO_DISPOSED";
inline constexpr char kAborted[] = "ERR_KARLO_ABORTED";
inline constexpr char kModelNotFound[] = "ERR_KARLO_MODEL_NOT_FOUND";
inline constexpr char kModelCorrupt[] = "ERR_KARLO_MODEL_CORRUPT";
inline constexpr char kDeviceUnavailable[] = "ERR_KARLO_DEVICE_UNAVAILABLE";
inline constexpr char kOutOfMemory[] = "ERR_KARLO_OUT_OF_MEMORY";
inline constexpr char kNative[] = "ERR_KARLO_NATIVE";

// An error with the code that JavaScript sees. It does not use Node-API, so inference threads can
// throw it.
class CodedError : public std::runtime_error {
 public:
  CodedError(const char* code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

// Converts an exception. LibTorch's exceptions lose their C++ backtrace.
CodedError describe(const std::exception_ptr& exception);

// Converts an exception to a JavaScript Error with a `code`.
Napi::Error to_js(Napi::Env env, const std::exception_ptr& exception);

// Wraps a native function so that no C++ exception reaches Node.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;  // already a JavaScript exception, which node-addon-api passes on
  } catch (...) {
    throw to_js(info.Env(), std::current_exception());
  }
}

}  // namespace karlo
