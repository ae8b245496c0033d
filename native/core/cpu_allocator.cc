#include "core/cpu_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>

#include <atomic>
#include <cstring>
#include <limits>

namespace karlo {
namespace {

// The size stands in front of each block, in a header as wide as LibTorch's alignment, so that the
// block itself stays aligned and its context pointer is its data pointer (raw_allocate wants that).
constexpr size_t kHeader = c10::gAlignment;

std::atomic<int64_t> allocated{0};
std::atomic<int64_t> peak{0};

void CountAllocation(int64_t bytes) {
  const int64_t now = allocated.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t highest = peak.load(std::memory_order_relaxed);
  while (now > highest && !peak.compare_exchange_weak(highest, now, std::memory_order_relaxed)) {
  }
}

void Free(void* data) {
  if (data == nullptr) return;
  char* block = static_cast<char*>(data) - kHeader;
  size_t bytes = 0;
  std::memcpy(&bytes, block, sizeof bytes);
  allocated.fetch_sub(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  c10::free_cpu(block);
}

class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = nullptr;
    if (bytes > 0) {
      TORCH_CHECK_WITH(OutOfMemoryError, bytes < std::numeric_limits<int64_t>::max() - kHeader,
                       "Tried to allocate ", bytes, " bytes");
      char* block = static_cast<char*>(c10::alloc_cpu(bytes + kHeader));
      std::memcpy(block, &bytes, sizeof bytes);
      CountAllocation(static_cast<int64_t>(bytes));
      data = block + kHeader;
    }
    return {data, data, &Free, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Free; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

void InstallCpuAllocator() {
  static CountingAllocator* const allocator = [] {
    auto* made = new CountingAllocator;  // lives as long as any tensor may: until the process ends
    c10::SetCPUAllocator(made);
    return made;
  }();
  (void)allocator;
}

MemoryStatistics CpuMemory() {
  const int64_t now = allocated.load(std::memory_order_relaxed);
  return {now, now, peak.load(std::memory_order_relaxed)};
}

}  // namespace karlo
