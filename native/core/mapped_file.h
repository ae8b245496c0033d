#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace karlo {

/// A file in memory by the system's page cache, without a copy. Pages that are written to become
/// this process's own, so that nothing can write to the file or fault.
class MappedFile {
 public:
  /// Throws std::system_error if the file cannot be opened or mapped.
  static std::shared_ptr<MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  MappedFile(char* data, int64_t size) : data_(data), size_(size) {}

  char* data_;
  int64_t size_;
};

}  // namespace karlo
