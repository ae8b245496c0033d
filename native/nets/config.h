#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace karlo::nets {

// The values of a Hugging Face config.json; std::monostate is JSON's null, which is not the same as
// an absent key: an absent key has the default of diffusers or transformers.
using ConfigValue = std::variant<std::monostate, bool, int64_t, double, std::string,
                                 std::vector<int64_t>, std::vector<std::string>>;
using Config = std::map<std::string, ConfigValue>;

// Reads one network's config. Whatever the networks here cannot compute is refused with
// std::invalid_argument: "Expected X for decoder.act_fn but received Y".
class ConfigReader {
 public:
  ConfigReader(std::string network, const Config& config);

  // A size: an integer from 1 to kLargestSize. The second form takes null for absent.
  int64_t size(const std::string& key, int64_t otherwise) const;
  int64_t required_size(const std::string& key) const;
  int64_t size_or_null(const std::string& key, int64_t otherwise) const;

  // How often something repeats: 1 to kLargestCount, so that no config can ask for a billion
  // layers.
  int64_t count(const std::string& key, int64_t otherwise) const;

  int64_t integer(const std::string& key, int64_t otherwise) const;
  double number(const std::string& key, double otherwise) const;
  bool flag(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;

  // One size, or a list with one for each of `length` levels.
  std::vector<int64_t> sizes(const std::string& key, int64_t length, int64_t otherwise) const;
  std::vector<int64_t> size_list(const std::string& key, std::vector<int64_t> otherwise) const;
  std::vector<std::string> texts(const std::string& key, std::vector<std::string> otherwise) const;

  // Refuses every value but these; an absent key has the default.
  void expect(const std::string& key, const std::vector<ConfigValue>& expected,
              const ConfigValue& otherwise) const;
  void expect_default(const std::string& key, const ConfigValue& expected) const;
  void expect_null(const std::string& key) const;

  // Throws "Expected `expected` for `network.key` but received `the value`".
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

  static constexpr int64_t kLargestSize = 1 << 20;
  static constexpr int64_t kLargestCount = 256;

 private:
  const ConfigValue* find(const std::string& key) const;
  int64_t checked_size(const std::string& key, int64_t value, int64_t largest) const;

  std::string network_;
  const Config& config_;
};

}  // namespace karlo::nets
