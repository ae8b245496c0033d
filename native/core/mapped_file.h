#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/page_guard.h"

namespace karlo {

// A file that is mapped into memory without a copy. Pages that are written to become private
// copies, so that writes never reach the file, and never fault. Pages that the file loses become
// zeros.
class MappedFile {
 public:
  // Throws std::system_error if the file cannot be opened or mapped.
  static std::shared_ptr<MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  MappedFile(const std::string& path, char* data, int64_t size)
      : data_(data), size_(size), guard_(std::in_place, path, data, static_cast<size_t>(size)) {}

  char* data_;
  int64_t size_;
  std::optional<PageGuard> guard_;
};

}  // namespace karlo
