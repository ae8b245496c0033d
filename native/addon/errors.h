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

/// A failure with the code that JavaScript sees. Node-API free: inference threads throw it too.
class CodedError : public std::runtime_error {
 public:
  CodedError(const char* code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

/// The exception as a CodedError: LibTorch's own without their C++ backtrace.
CodedError Describe(const std::exception_ptr& exception);

/// The exception as a JavaScript Error with a `code`.
Napi::Error ToJs(Napi::Env env, const std::exception_ptr& exception);

/// Wraps a native function: no C++ exception passes into Node.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value Guarded(const Napi::CallbackInfo& info) {
  try {
    return function(info);
  } catch (const Napi::Error&) {
    throw;  // a JavaScript exception already: node-addon-api hands it on
  } catch (...) {
    throw ToJs(info.Env(), std::current_exception());
  }
}

}  // namespace karlo
