#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "addon/errors.h"

namespace karlo {

/// "Expected WHAT for NAME but received VALUE of type TYPE", the message of every wrong argument.
CodedError Expected(const std::string& what, const std::string& name, const Napi::Value& received);

/// Each of these reads one argument or throws `Expected`. A missing argument reads as undefined.
std::string ReadString(const Napi::Value& value, const char* name);
std::vector<std::string> ReadStrings(const Napi::Value& value, const char* name);
double ReadNumber(const Napi::Value& value, const char* name);
bool ReadBoolean(const Napi::Value& value, const char* name);
int64_t ReadInteger(const Napi::Value& value, const char* name, int64_t lowest, int64_t highest);
std::vector<int64_t> ReadIntegers(const Napi::Value& value, const char* name, int64_t lowest,
                                  int64_t highest);
/// Dimensions from 0 up, at most 16 of them, whose product fits a tensor of 8-byte elements.
std::vector<int64_t> ReadShape(const Napi::Value& value, const char* name);
c10::ScalarType ReadDtype(const Napi::Value& value, const char* name);
/// 'cpu', 'cuda' or 'cuda:N'; a device that LibTorch cannot use is ERR_KARLO_DEVICE_UNAVAILABLE.
c10::Device ReadDevice(const Napi::Value& value, const char* name);

template <class Read>
auto ReadOptional(const Napi::Value& value, const char* name, Read read)
    -> std::optional<decltype(read(value, name))> {
  if (value.IsUndefined()) return std::nullopt;
  return read(value, name);
}

/// The dtype's name in JavaScript ('float32'); throws for one that has none there.
const char* DtypeName(c10::ScalarType dtype);
Napi::Array ToJs(Napi::Env env, c10::IntArrayRef integers);

}  // namespace karlo
