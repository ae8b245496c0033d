#include "addon/arguments.h"

#include <array>
#include <cmath>
#include <limits>

#include "core/cuda.h"
#include "core/mps.h"

namespace karlo {
namespace {

struct NamedDtype {
  const char* name;
  c10::ScalarType dtype;
};

constexpr std::array<NamedDtype, 13> kDtypes{{
    {"float32", c10::ScalarType::Float},
    {"float64", c10::ScalarType::Double},
    {"float16", c10::ScalarType::Half},
    {"bfloat16", c10::ScalarType::BFloat16},
    {"int8", c10::ScalarType::Char},
    {"uint8", c10::ScalarType::Byte},
    {"int16", c10::ScalarType::Short},
    {"uint16", c10::ScalarType::UInt16},
    {"int32", c10::ScalarType::Int},
    {"uint32", c10::ScalarType::UInt32},
    {"int64", c10::ScalarType::Long},
    {"uint64", c10::ScalarType::UInt64},
    {"bool", c10::ScalarType::Bool},
}};

std::string type_name(const Napi::Value& value) {
  if (value.IsNull()) return "null";
  if (value.IsArray()) return "array";
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_boolean:
      return "boolean";
    case napi_number:
      return "number";
    case napi_string:
      return "string";
    case napi_symbol:
      return "symbol";
    case napi_function:
      return "function";
    case napi_bigint:
      return "bigint";
    default:
      return "object";
  }
}

// Shows only primitives: the conversion of an object to a string could run any code.
std::string to_text(const Napi::Value& value) {
  if (value.IsString()) {
    std::string text = value.As<Napi::String>().Utf8Value();
    if (text.size() > 60) text = text.substr(0, 60) + "…";
    return "'" + text + "'";
  }
  if (value.IsNumber() || value.IsBoolean()) return value.ToString().Utf8Value();
  return "a value";
}

}  // namespace

CodedError invalid_argument(const std::string& what, const std::string& name,
                            const Napi::Value& received) {
  const std::string type = type_name(received);
  const bool is_its_type = type == "undefined" || type == "null";
  return {kInvalidArgument, "Expected " + what + " for " + name + " but received " +
                                (is_its_type ? type : to_text(received) + " of type " + type)};
}

std::string read_string(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw invalid_argument("string", name, value);
  return value.As<Napi::String>().Utf8Value();
}

std::vector<std::string> read_strings(const Napi::Value& value, const char* name) {
  const bool short_list = value.IsArray() && value.As<Napi::Array>().Length() <= 256;
  if (!short_list) throw invalid_argument("array of at most 256 strings", name, value);
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); ++i) strings.push_back(read_string(array.Get(i), name));
  return strings;
}

double read_number(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) throw invalid_argument("number", name, value);
  return value.As<Napi::Number>().DoubleValue();
}

bool read_boolean(const Napi::Value& value, const char* name) {
  if (!value.IsBoolean()) throw invalid_argument("boolean", name, value);
  return value.As<Napi::Boolean>().Value();
}

int64_t read_integer(const Napi::Value& value, const char* name, int64_t lowest, int64_t highest) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  const bool fits = std::trunc(number) == number && number >= static_cast<double>(lowest) &&
                    number <= static_cast<double>(highest);
  if (!fits) {
    throw invalid_argument(
        "integer between " + std::to_string(lowest) + " and " + std::to_string(highest), name,
        value);
  }
  return static_cast<int64_t>(number);
}

std::vector<int64_t> read_integers(const Napi::Value& value, const char* name, int64_t lowest,
                                   int64_t highest) {
  if (!value.IsArray()) throw invalid_argument("array of integers", name, value);
  const auto array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  if (length > 16) {
    throw invalid_argument("array of at most 16 integers", name, value);
  }
  std::vector<int64_t> integers;
  for (uint32_t i = 0; i < length; ++i) {
    const std::string element = std::string(name) + "[" + std::to_string(i) + "]";
    integers.push_back(read_integer(array.Get(i), element.c_str(), lowest, highest));
  }
  return integers;
}

std::vector<int64_t> read_shape(const Napi::Value& value, const char* name) {
  constexpr int64_t kHighest = int64_t{1} << 53;
  auto shape = read_integers(value, name, 0, kHighest);
  // The product omits zeros because LibTorch multiplies the other dimensions into strides.
  int64_t elements = 1;
  for (const int64_t dimension : shape) {
    if (dimension != 0 && elements > kHighest / dimension) {
      throw invalid_argument("shape of at most 2^53 elements", name, value);
    }
    if (dimension != 0) elements *= dimension;
  }
  return shape;
}

c10::ScalarType read_dtype(const Napi::Value& value, const char* name) {
  const std::string wanted = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  for (const auto& item : kDtypes) {
    if (wanted == item.name) return item.dtype;
  }
  std::string names;
  for (const auto& item : kDtypes) names += (names.empty() ? "" : ", ") + std::string(item.name);
  throw invalid_argument("one of " + names, name, value);
}

c10::Device read_device(const Napi::Value& value, const char* name) {
  const std::string text = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (text == "cpu") return {c10::DeviceType::CPU};
  if (text == "mps") {
    if (find_mps_device().usable) return {c10::DeviceType::MPS, 0};
    throw CodedError(kDeviceUnavailable,
                     "Device 'mps' is not available: LibTorch has no MPS device");
  }
  const bool cuda = text.rfind("cuda", 0) == 0;
  const std::string index = cuda && text.size() > 5 && text[4] == ':' ? text.substr(5) : "";
  const bool numbered = !index.empty() && index.size() <= 2 &&
                        index.find_first_not_of("0123456789") == std::string::npos;
  if (!cuda || (text != "cuda" && !numbered)) {
    throw invalid_argument("'cpu', 'cuda', 'cuda:N' or 'mps'", name, value);
  }
  const int wanted = numbered ? std::stoi(index) : 0;
  const int64_t usable = usable_cuda_devices();
  if (wanted >= usable) {
    throw CodedError(kDeviceUnavailable, "Device '" + text +
                                             "' is not available: LibTorch can use " +
                                             std::to_string(usable) + " CUDA devices");
  }
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(wanted)};
}

std::string device_name(c10::Device device) { return device.is_mps() ? "mps" : device.str(); }

const char* dtype_name(c10::ScalarType dtype) {
  for (const auto& item : kDtypes) {
    if (dtype == item.dtype) return item.name;
  }
  throw CodedError(kNative, std::string("A tensor of dtype ") + c10::toString(dtype) +
                                " is not supported in JavaScript");
}

Napi::Array to_js(Napi::Env env, c10::IntArrayRef integers) {
  auto array = Napi::Array::New(env, integers.size());
  for (size_t i = 0; i < integers.size(); ++i) {
    array.Set(static_cast<uint32_t>(i), static_cast<double>(integers[i]));
  }
  return array;
}

}  // namespace karlo
