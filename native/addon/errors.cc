#include "addon/errors.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace karlo {
namespace {

// The TorchScript interpreter wraps errors in a traceback of the graph and drops the exception's
// type. The last line is the original message.
std::string last_cause(const std::string& message) {
  static const std::string kMark = "\nRuntimeError: ";
  const size_t found = message.rfind(kMark);
  std::string cause = found == std::string::npos ? message : message.substr(found + kMark.size());
  cause.erase(cause.find_last_not_of(" \n") + 1);
  return cause;
}

bool is_out_of_memory(const std::string& message) {
  return message.find("DefaultCPUAllocator: can't allocate memory") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

// LibTorch asks to report the operator to PyTorch, in several sentences.
std::string explain_mps(const std::string& message) {
  static const std::string kStart = "The operator '";
  static const std::string kEnd = "' is not currently implemented for the MPS device";
  const size_t end = message.find(kEnd);
  if (end == std::string::npos || message.rfind(kStart, 0) != 0) return message;
  const std::string name = message.substr(kStart.size(), end - kStart.size());
  return "LibTorch has no MPS kernel for the operator '" + name +
         "'. Let it run on the CPU, which is slower: set the environment variable "
         "PYTORCH_ENABLE_MPS_FALLBACK=1 before the process starts. Or use device 'cpu'";
}

CodedError from_message(const std::string& message) {
  const std::string cause = explain_mps(last_cause(message));
  return {is_out_of_memory(cause) ? kOutOfMemory : kNative, cause};
}

}  // namespace

CodedError describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const CodedError& error) {
    return error;
  } catch (const c10::OutOfMemoryError& error) {
    return {kOutOfMemory, error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return {kOutOfMemory, "The system is out of memory"};
  } catch (const c10::Error& error) {
    return from_message(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return from_message(error.what());
  } catch (...) {
    return {kNative, "Unknown native exception"};
  }
}

Napi::Error to_js(Napi::Env env, const std::exception_ptr& exception) {
  const CodedError described = describe(exception);
  Napi::Error error = Napi::Error::New(env, described.what());
  error.Value().Set("code", Napi::String::New(env, described.code()));
  return error;
}

}  // namespace karlo
