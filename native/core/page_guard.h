#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace karlo {

struct GuardedPages;

// Guards memory that maps a file. The kernel raises SIGBUS in a thread that reads a page that the
// file no longer has, because it was truncated or its disk failed, which ends the process. In
// guarded memory, that page and all that follow it are replaced by zeros instead, and the thread
// continues. Other bus errors reach the handler that was installed before. On Windows, a mapped
// file cannot be truncated.
class PageGuard {
 public:
  PageGuard(std::string path, char* data, size_t size);
  ~PageGuard();
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;

  // The paths of the guarded files of which pages were replaced.
  static std::vector<std::string> lost_files();

 private:
  GuardedPages* pages_;
};

}  // namespace karlo
