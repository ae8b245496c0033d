#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "addon/errors.h"

namespace karlo {

// The error for a wrong argument: "Expected WHAT for NAME but received VALUE of type TYPE".
CodedError invalid_argument(const std::string& what, const std::string& name,
                            const Napi::Value& received);

// Each of these reads one argument or throws invalid_argument(). A missing argument is undefined.
std::string read_string(const Napi::Value& value, const char* name);
std::vector<std::string> read_strings(const Napi::Value& value, const char* name);
double read_number(const Napi::Value& value, const char* name);
bool read_boolean(const Napi::Value& value, const char* name);
int64_t read_integer(const Napi::Value& value, const char* name, int64_t lowest, int64_t highest);
std::vector<int64_t> read_integers(const Napi::Value& value, const char* name, int64_t lowest,
                                   int64_t highest);
// At most 16 dimensions, none negative, with a product of at most 2^53.
std::vector<int64_t> read_shape(const Napi::Value& value, const char* name);
c10::ScalarType read_dtype(const Napi::Value& value, const char* name);
// 'cpu', 'cuda', 'cuda:N' or 'mps'. Throws ERR_KARLO_DEVICE_UNAVAILABLE if LibTorch cannot use the
// device.
c10::Device read_device(const Napi::Value& value, const char* name);

template <class Read>
auto read_optional(const Napi::Value& value, const char* name, Read read)
    -> std::optional<decltype(read(value, name))> {
  if (value.IsUndefined()) return std::nullopt;
  return read(value, name);
}

// The dtype's name in JavaScript ('float32'). Throws if it has none.
const char* dtype_name(c10::ScalarType dtype);
// As `read_device` takes it: 'cpu', 'cuda:0', 'mps'.
std::string device_name(c10::Device device);
Napi::Array to_js(Napi::Env env, c10::IntArrayRef integers);

}  // namespace karlo
