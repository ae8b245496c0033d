#include "core/page_guard.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#ifndef _WIN32
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#endif

namespace karlo {

// An entry of a list that the signal handler reads without a lock. Entries are reused, and never
// freed.
struct GuardedPages {
  std::atomic<char*> data{nullptr};  // null if the entry is free
  std::atomic<size_t> size{0};
  std::atomic<bool> lost{false};
  std::string path;
  GuardedPages* next = nullptr;
};

namespace {

std::atomic<GuardedPages*> first{nullptr};
std::mutex changes;

template <typename Predicate>
GuardedPages* find(Predicate matches) {
  for (GuardedPages* pages = first.load(); pages != nullptr; pages = pages->next) {
    if (matches(*pages)) return pages;
  }
  return nullptr;
}

GuardedPages* free_entry() {
  auto* pages = find([](const GuardedPages& entry) { return entry.data.load() == nullptr; });
  if (pages != nullptr) return pages;
  pages = new GuardedPages;
  pages->next = first.load();
  first = pages;
  return pages;
}

#ifndef _WIN32

uintptr_t page_size = 0;
struct sigaction previous;

// Only uses a system call and atomics, because it runs in a signal handler.
bool replace_by_zeros(GuardedPages& pages, char* address) {
  char* page = address - reinterpret_cast<uintptr_t>(address) % page_size;
  const auto size = static_cast<size_t>(pages.data.load() + pages.size.load() - page);
  const int error = errno;
  void* mapped = mmap(page, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  errno = error;
  if (mapped == MAP_FAILED) return false;
  pages.lost = true;
  return true;
}

void call_previous(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    sigaction(signal, &previous, nullptr);  // the access is repeated, and ends the process
  } else {
    previous.sa_handler(signal);
  }
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  auto* address = static_cast<char*>(info->si_addr);
  auto* pages = find([address](const GuardedPages& entry) {
    const char* data = entry.data.load();
    return data != nullptr && address >= data && address < data + entry.size.load();
  });
  const bool unreadable = info->si_code == BUS_ADRERR;
  if (unreadable && pages != nullptr && replace_by_zeros(*pages, address)) return;
  call_previous(signal, info, context);
}

void install_handler() {
  page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous);
}

#else

void install_handler() {}

#endif

}  // namespace

PageGuard::PageGuard(std::string path, char* data, size_t size) {
  static std::once_flag installed;
  std::call_once(installed, install_handler);
  const std::lock_guard lock(changes);
  pages_ = free_entry();
  pages_->path = std::move(path);
  pages_->size = size;
  pages_->lost = false;
  pages_->data = data;
}

PageGuard::~PageGuard() {
  const std::lock_guard lock(changes);
  pages_->data = nullptr;
}

std::vector<std::string> PageGuard::lost_files() {
  const std::lock_guard lock(changes);
  std::vector<std::string> paths;
  for (GuardedPages* pages = first.load(); pages != nullptr; pages = pages->next) {
    if (pages->data.load() != nullptr && pages->lost) paths.push_back(pages->path);
  }
  return paths;
}

}  // namespace karlo
