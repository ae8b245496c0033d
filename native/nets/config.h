#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace karlo::nets {

// The values of a Hugging Face config.json. std::monostate is JSON's null, which differs from an
// absent key: an absent key has the default of diffusers or transformers.
using ConfigValue = std::variant<std::monostate, bool, int64_t, double, std::string,
                                 std::vector<int64_t>, std::vector<std::string>>;
using Config = std::map<std::string, ConfigValue>;

// Reads one network's config. Unsupported values throw std::invalid_argument: "Expected X for
// decoder.act_fn but received Y".
class ConfigReader {
 public:
  ConfigReader(std::string network, const Config& config);

  // A size: an integer from 1 to kMaxSize. size_or_null() treats null like an absent key.
  int64_t size(const std::string& key, int64_t otherwise) const;
  int64_t required_size(const std::string& key) const;
  int64_t size_or_null(const std::string& key, int64_t otherwise) const;

  // A number of repetitions: 1 to kMaxCount, so that no config can ask for a billion layers.
  int64_t count(const std::string& key, int64_t otherwise) const;

  int64_t integer(const std::string& key, int64_t otherwise) const;
  double number(const std::string& key, double otherwise) const;
  bool flag(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;

  // One size for all of `length` levels, or a list with one for each.
  std::vector<int64_t> sizes(const std::string& key, int64_t length, int64_t otherwise) const;
  std::vector<int64_t> size_list(const std::string& key, std::vector<int64_t> otherwise) const;
  std::vector<std::string> texts(const std::string& key, std::vector<std::string> otherwise) const;

  // Refuses every value but `expected`. An absent key has the value `otherwise`.
  void expect(const std::string& key, const std::vector<ConfigValue>& expected,
              const ConfigValue& otherwise) const;
  void expect_default(const std::string& key, const ConfigValue& expected) const;
  void expect_null(const std::string& key) const;

  // Throws "Expected `expected` for `network.key` but received `the value`".
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

  static constexpr int64_t kMaxSize = 1 << 20;
  static constexpr int64_t kMaxCount = 256;

 private:
  const ConfigValue* find(const std::string& key) const;
  int64_t checked_size(const std::string& key, int64_t value, int64_t max) const;

  std::string network_;
  const Config& config_;
};

}  // namespace karlo::nets
