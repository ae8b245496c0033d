#ifndef _WIN32

#include "core/page_guard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/mapped_file.h"

namespace karlo::testing {
namespace {

// A file of ones that is removed at the end of a test.
struct TemporaryFile {
  explicit TemporaryFile(size_t size) {
    const int file = mkstemp(path.data());
    const std::vector<char> ones(size, 1);
    REQUIRE(write(file, ones.data(), size) == static_cast<ssize_t>(size));
    close(file);
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool is_lost() const {
    const auto lost = PageGuard::lost_files();
    return std::find(lost.begin(), lost.end(), path) != lost.end();
  }

  std::string path = "/tmp/karlo-page-guard-XXXXXX";
};

const auto kPage = static_cast<size_t>(sysconf(_SC_PAGESIZE));

TEST_CASE("what a truncated file no longer contains is read as zeros") {
  const TemporaryFile file(4 * kPage);
  auto mapped = MappedFile::open(file.path);
  REQUIRE(truncate(file.path.c_str(), static_cast<off_t>(kPage)) == 0);
  CHECK(mapped->data()[kPage - 1] == 1);
  CHECK_FALSE(file.is_lost());
  CHECK(mapped->data()[2 * kPage + 1] == 0);
  CHECK(file.is_lost());
  CHECK(mapped->data()[kPage + 1] == 0);
  CHECK(mapped->data()[0] == 1);
  mapped.reset();
  CHECK_FALSE(file.is_lost());
}

TEST_CASE("a write to a page that the file lost does not end the process") {
  const TemporaryFile file(2 * kPage);
  const auto mapped = MappedFile::open(file.path);
  REQUIRE(truncate(file.path.c_str(), 0) == 0);
  mapped->data()[kPage] = 2;
  CHECK(mapped->data()[kPage] == 2);
  CHECK(file.is_lost());
}

TEST_CASE("memory that is mapped by others is not guarded") {
  const TemporaryFile guarded(kPage);
  const auto mapped = MappedFile::open(guarded.path);
  const TemporaryFile file(kPage);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int descriptor = open(file.path.c_str(), O_RDWR);
    const auto* data = static_cast<const volatile char*>(
        mmap(nullptr, kPage, PROT_READ, MAP_SHARED, descriptor, 0));
    if (ftruncate(descriptor, 0) != 0) _exit(2);
    _exit(data[0]);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGBUS);
}

}  // namespace
}  // namespace karlo::testing

#endif
