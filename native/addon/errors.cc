#include "addon/errors.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace karlo {
namespace {

// The interpreter puts a traceback of the graph around what failed and drops the exception's type:
// the last line says what it was.
std::string LastCause(const std::string& message) {
  static const std::string kMark = "\nRuntimeError: ";
  const size_t found = message.rfind(kMark);
  std::string cause = found == std::string::npos ? message : message.substr(found + kMark.size());
  cause.erase(cause.find_last_not_of(" \n") + 1);
  return cause;
}

bool IsOutOfMemory(const std::string& message) {
  return message.find("DefaultCPUAllocator: can't allocate memory") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

CodedError FromWords(const std::string& words) {
  const std::string cause = LastCause(words);
  return {IsOutOfMemory(cause) ? kOutOfMemory : kNative, cause};
}

}  // namespace

CodedError Describe(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const CodedError& error) {
    return error;
  } catch (const c10::OutOfMemoryError& error) {
    return {kOutOfMemory, error.what_without_backtrace()};
  } catch (const std::bad_alloc&) {
    return {kOutOfMemory, "The system has no more memory"};
  } catch (const c10::Error& error) {
    return FromWords(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return FromWords(error.what());
  } catch (...) {
    return {kNative, "Unknown native exception"};
  }
}

Napi::Error ToJs(Napi::Env env, const std::exception_ptr& exception) {
  const CodedError described = Describe(exception);
  Napi::Error error = Napi::Error::New(env, described.what());
  error.Value().Set("code", Napi::String::New(env, described.code()));
  return error;
}

}  // namespace karlo
