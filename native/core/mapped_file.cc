#include "core/mapped_file.h"

#include <cerrno>
#include <system_error>

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace karlo {

#ifdef _WIN32

std::shared_ptr<MappedFile> MappedFile::open(const std::string& path) {
  const auto fail = [&path] {
    throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), path);
  };
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  HANDLE file = CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                            FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) fail();
  LARGE_INTEGER size;
  GetFileSizeEx(file, &size);
  HANDLE mapping = CreateFileMappingW(file, nullptr, PAGE_WRITECOPY, 0, 0, nullptr);
  CloseHandle(file);
  if (mapping == nullptr) fail();
  void* data = MapViewOfFile(mapping, FILE_MAP_COPY, 0, 0, 0);
  CloseHandle(mapping);
  if (data == nullptr) fail();
  return std::shared_ptr<MappedFile>(new MappedFile(path, static_cast<char*>(data), size.QuadPart));
}

MappedFile::~MappedFile() {
  guard_.reset();
  UnmapViewOfFile(data_);
}

#else

std::shared_ptr<MappedFile> MappedFile::open(const std::string& path) {
  const auto fail = [&path] { throw std::system_error(errno, std::generic_category(), path); };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail();
  struct stat status;
  const bool known = fstat(file, &status) == 0;
  const auto size = known ? static_cast<int64_t>(status.st_size) : 0;
  void* data = size == 0 ? MAP_FAILED
                         : mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_NORESERVE, file, 0);
  if (size == 0) errno = EINVAL;
  const int error = errno;
  close(file);
  errno = error;
  if (data == MAP_FAILED) fail();
  return std::shared_ptr<MappedFile>(new MappedFile(path, static_cast<char*>(data), size));
}

MappedFile::~MappedFile() {
  guard_.reset();
  munmap(data_, static_cast<size_t>(size_));
}

#endif

}  // namespace karlo
