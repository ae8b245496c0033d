#include "core/cpu_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/alignment.h>
#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace karlo {
namespace {

// In front of each block, as wide as LibTorch's alignment, so that the block itself stays aligned
// and its context pointer is its data pointer (raw_allocate wants that).
struct Header {
  size_t bytes;     // asked for
  size_t capacity;  // behind the header
};
constexpr size_t kHeader = c10::gAlignment;
static_assert(sizeof(Header) <= kHeader, "the header must fit");

// Smaller blocks are left to malloc, which keeps them itself. Larger ones it would take from the
// system and give back, and the system clears each page anew: at full size that was a tenth of the
// time.
constexpr size_t kSmallest = size_t{1} << 16;
constexpr size_t kPage = 4096;

// How much more may be kept than was ever in use at once. Without it the largest blocks, which come
// back in every layer, went back and forth: a tenth of the decoder's time.
constexpr int64_t kSpare = int64_t{1} << 26;  // 64 MB

// Freed blocks, for the next one of their size: a loop asks for the same sizes in each step. In
// all, used or free, there is never much more than was once in use: what a stage leaves makes way
// for the next.
class BlockCache {
 public:
  void* allocate(size_t bytes) {
    const bool large = bytes >= kSmallest;
    const size_t capacity = large ? (bytes + kPage - 1) / kPage * kPage : bytes;
    std::vector<void*> evicted;
    void* block = nullptr;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      statistics_.allocated += static_cast<int64_t>(bytes);
      if (statistics_.allocated > statistics_.peak) statistics_.peak = statistics_.allocated;
      if (large) block = take(capacity);
      if (large && block == nullptr) evicted = evict_for_more();
    }
    for (void* old : evicted) c10::free_cpu(old);
    if (block == nullptr) block = from_system(bytes, capacity);
    const Header header{bytes, capacity};
    std::memcpy(block, &header, sizeof header);
    return static_cast<char*>(block) + kHeader;
  }

  void free(void* data) {
    void* block = static_cast<char*>(data) - kHeader;
    Header header;
    std::memcpy(&header, block, sizeof header);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      statistics_.allocated -= static_cast<int64_t>(header.bytes);
      if (header.capacity >= kSmallest) {
        keep(block, header.capacity);
        return;
      }
    }
    c10::free_cpu(block);
  }

  void trim() {
    std::vector<void*> all;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      all = evict_down_to(0);
    }
    for (void* block : all) c10::free_cpu(block);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
  }

  MemoryStatistics statistics() {
    const std::lock_guard<std::mutex> lock(mutex_);
    MemoryStatistics result = statistics_;
    result.reserved = statistics_.allocated + cached_;
    return result;
  }

 private:
  struct Kept {
    void* block;
    size_t capacity;
  };
  using Order = std::list<Kept>;  // the oldest first

  void* take(size_t capacity) {
    const auto found = by_size_.find(capacity);
    if (found == by_size_.end()) return nullptr;
    const Order::iterator last = found->second.back();
    found->second.pop_back();
    if (found->second.empty()) by_size_.erase(found);
    void* block = last->block;
    order_.erase(last);
    cached_ -= static_cast<int64_t>(capacity);
    return block;
  }

  void keep(void* block, size_t capacity) {
    order_.push_back({block, capacity});
    by_size_[capacity].push_back(std::prev(order_.end()));
    cached_ += static_cast<int64_t>(capacity);
  }

  // What must go so that a new block, which is counted already, does not lift the whole above that.
  std::vector<void*> evict_for_more() {
    const int64_t most = statistics_.peak + kSpare;
    return evict_down_to(std::max<int64_t>(0, most - statistics_.allocated));
  }

  std::vector<void*> evict_down_to(int64_t most) {
    std::vector<void*> blocks;
    while (cached_ > most && !order_.empty()) {
      const auto [block, capacity] = order_.front();
      auto& same = by_size_[capacity];
      for (auto it = same.begin(); it != same.end(); ++it) {
        if (*it != order_.begin()) continue;
        same.erase(it);
        break;
      }
      if (same.empty()) by_size_.erase(capacity);
      order_.pop_front();
      cached_ -= static_cast<int64_t>(capacity);
      blocks.push_back(block);
    }
    return blocks;
  }

  void* from_system(size_t bytes, size_t capacity) {
    try {
      return c10::alloc_cpu(capacity + kHeader);
    } catch (...) {
      // What is kept may be what is lacking.
      trim();
    }
    try {
      return c10::alloc_cpu(capacity + kHeader);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      statistics_.allocated -= static_cast<int64_t>(bytes);
      throw;
    }
  }

  std::mutex mutex_;
  MemoryStatistics statistics_;
  int64_t cached_ = 0;
  Order order_;
  std::unordered_map<size_t, std::vector<Order::iterator>> by_size_;
};

// Lives as long as any tensor may: until the process ends.
BlockCache& Cache() {
  static auto* const cache = new BlockCache;
  return *cache;
}

void Free(void* data) {
  if (data != nullptr) Cache().free(data);
}

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = nullptr;
    if (bytes > 0) {
      TORCH_CHECK_WITH(OutOfMemoryError,
                       bytes < std::numeric_limits<int64_t>::max() - kHeader - kPage,
                       "Tried to allocate ", bytes, " bytes");
      data = Cache().allocate(bytes);
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
  static CachingAllocator* const allocator = [] {
    auto* made = new CachingAllocator;
    c10::SetCPUAllocator(made);
    return made;
  }();
  (void)allocator;
}

MemoryStatistics CpuMemory() { return Cache().statistics(); }

void TrimCpuMemory() { Cache().trim(); }

}  // namespace karlo
