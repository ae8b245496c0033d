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
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace karlo {
namespace {

// Precedes each block. It is as large as LibTorch's alignment, so that the block itself stays
// aligned and its context pointer can be its data pointer, as raw_allocate requires.
struct Header {
  size_t bytes;     // requested
  size_t capacity;  // after the header
};
constexpr size_t kHeader = c10::gAlignment;
static_assert(sizeof(Header) <= kHeader, "the header must fit");

// malloc keeps smaller blocks itself. Larger ones it would return to the system, which clears each
// page of a new block: that was a tenth of the time with full-size models.
constexpr size_t kMinCached = size_t{1} << 16;
constexpr size_t kPage = 4096;

// How much may be kept beyond the peak of the memory in use. Without it, the largest blocks, which
// every layer needs, were returned to the system and requested again: a tenth of the decoder's
// time.
constexpr int64_t kSpare = int64_t{1} << 26;  // 64 MB

// Asks for huge pages where a new block spans them: large matrices are read in strides that need
// more pages than a processor's TLB holds, which costs most in virtual machines.
void prefer_huge_pages(void* block, size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t kHugePage = uintptr_t{1} << 21;
  const auto start = reinterpret_cast<uintptr_t>(block);
  const uintptr_t first = (start + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t end = (start + bytes) / kHugePage * kHugePage;
  // A kernel without them refuses, which changes nothing else.
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

// Keeps freed blocks for the next request of their size: a loop requests the same sizes in each
// step. The total, used or free, never exceeds the peak in use by much: the blocks of one stage are
// evicted for those of the next.
class BlockCache {
 public:
  void* allocate(size_t bytes) {
    const bool large = bytes >= kMinCached;
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
      if (header.capacity >= kMinCached) {
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
  using Order = std::list<Kept>;  // oldest first

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

  // Returns the blocks to free so that a new block, which is already counted, does not exceed the
  // limit.
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
    void* block = allocate_or_trim(bytes, capacity + kHeader);
    prefer_huge_pages(block, capacity + kHeader);
    return block;
  }

  // `bytes`: requested, of `all` that the block takes.
  void* allocate_or_trim(size_t bytes, size_t all) {
    try {
      return c10::alloc_cpu(all);
    } catch (...) {
      // The kept blocks may be the memory that is missing.
      trim();
    }
    try {
      return c10::alloc_cpu(all);
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

// Never destroyed: tensors may exist until the process ends.
BlockCache& cache() {
  static auto* const cache = new BlockCache;
  return *cache;
}

void deallocate(void* data) {
  if (data != nullptr) cache().free(data);
}

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = nullptr;
    if (bytes > 0) {
      TORCH_CHECK_WITH(OutOfMemoryError,
                       bytes < std::numeric_limits<int64_t>::max() - kHeader - kPage,
                       "Tried to allocate ", bytes, " bytes");
      data = cache().allocate(bytes);
    }
    return {data, data, &deallocate, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &deallocate; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

void install_cpu_allocator() {
  static CachingAllocator* const allocator = [] {
    auto* made = new CachingAllocator;
    c10::SetCPUAllocator(made);
    return made;
  }();
  (void)allocator;
}

MemoryStatistics cpu_memory() { return cache().statistics(); }

void trim_cpu_memory() { cache().trim(); }

}  // namespace karlo
