#include "nets/config.h"

#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace karlo::nets {
namespace {

struct Printer {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const {
    std::ostringstream out;
    out << value;
    return out.str();
  }
  std::string operator()(const std::string& value) const { return '"' + value + '"'; }
  template <class T>
  std::string operator()(const std::vector<T>& values) const {
    std::string out;
    for (const T& value : values) out += (out.empty() ? "" : ", ") + (*this)(value);
    return '[' + out + ']';
  }
};

std::string print(const ConfigValue& value) { return std::visit(Printer{}, value); }

std::optional<double> as_number(const ConfigValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}

// JSON writes 1 and 1.0 for the same number.
bool same(const ConfigValue& a, const ConfigValue& b) {
  const auto left = as_number(a), right = as_number(b);
  return left && right ? *left == *right : a == b;
}

std::string range(int64_t max) { return "an integer from 1 to " + std::to_string(max); }

}  // namespace

ConfigReader::ConfigReader(std::string network, const Config& config)
    : network_(std::move(network)), config_(config) {}

const ConfigValue* ConfigReader::find(const std::string& key) const {
  const auto found = config_.find(key);
  return found == config_.end() ? nullptr : &found->second;
}

void ConfigReader::refuse(const std::string& key, const std::string& expected) const {
  const ConfigValue* value = find(key);
  throw std::invalid_argument("Expected " + expected + " for " + network_ + '.' + key +
                              " but received " + (value ? print(*value) : "nothing"));
}

int64_t ConfigReader::checked_size(const std::string& key, int64_t value, int64_t max) const {
  if (value < 1 || value > max) refuse(key, range(max));
  return value;
}

int64_t ConfigReader::integer(const std::string& key, int64_t otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr) return otherwise;
  if (const auto* integer = std::get_if<int64_t>(value)) return *integer;
  refuse(key, "an integer");
}

int64_t ConfigReader::size(const std::string& key, int64_t otherwise) const {
  return checked_size(key, integer(key, otherwise), kMaxSize);
}

int64_t ConfigReader::required_size(const std::string& key) const {
  if (find(key) == nullptr) refuse(key, range(kMaxSize));
  return size(key, 0);
}

int64_t ConfigReader::size_or_null(const std::string& key, int64_t otherwise) const {
  const ConfigValue* value = find(key);
  if (value != nullptr && std::holds_alternative<std::monostate>(*value)) return otherwise;
  return size(key, otherwise);
}

int64_t ConfigReader::count(const std::string& key, int64_t otherwise) const {
  return checked_size(key, integer(key, otherwise), kMaxCount);
}

double ConfigReader::number(const std::string& key, double otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr) return otherwise;
  if (const auto number = as_number(*value)) return *number;
  refuse(key, "a number");
}

bool ConfigReader::flag(const std::string& key, bool otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr) return otherwise;
  if (const auto* flag = std::get_if<bool>(value)) return *flag;
  refuse(key, "true or false");
}

std::string ConfigReader::text(const std::string& key, const std::string& otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr) return otherwise;
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  refuse(key, "a string");
}

std::vector<int64_t> ConfigReader::sizes(const std::string& key, int64_t length,
                                         int64_t otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr || std::holds_alternative<int64_t>(*value)) {
    return std::vector<int64_t>(length, size(key, otherwise));
  }
  std::vector<int64_t> list = size_list(key, {});
  if (static_cast<int64_t>(list.size()) != length) {
    refuse(key, "an integer or a list of " + std::to_string(length));
  }
  return list;
}

std::vector<int64_t> ConfigReader::size_list(const std::string& key,
                                             std::vector<int64_t> otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr) return otherwise;
  const auto* list = std::get_if<std::vector<int64_t>>(value);
  if (list == nullptr || list->empty()) refuse(key, "a list of integers");
  for (const int64_t item : *list) checked_size(key, item, kMaxSize);
  return *list;
}

std::vector<std::string> ConfigReader::texts(const std::string& key,
                                             std::vector<std::string> otherwise) const {
  const ConfigValue* value = find(key);
  if (value == nullptr) return otherwise;
  const auto* list = std::get_if<std::vector<std::string>>(value);
  if (list == nullptr || list->empty()) refuse(key, "a list of strings");
  return *list;
}

void ConfigReader::expect(const std::string& key, const std::vector<ConfigValue>& expected,
                          const ConfigValue& otherwise) const {
  const ConfigValue* value = find(key);
  std::string all;
  for (const ConfigValue& one : expected) {
    if (same(value ? *value : otherwise, one)) return;
    all += (all.empty() ? "" : " or ") + print(one);
  }
  refuse(key, all);
}

void ConfigReader::expect_default(const std::string& key, const ConfigValue& expected) const {
  expect(key, {expected}, expected);
}

void ConfigReader::expect_null(const std::string& key) const {
  expect_default(key, std::monostate{});
}

}  // namespace karlo::nets
