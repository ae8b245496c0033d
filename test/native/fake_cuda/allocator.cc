// The devices' memory: blocks of the CPU's. It counts and caches like LibTorch's allocator for
// CUDA, and refuses what exceeds a device's memory. FAKE_CUDA_REFUSE=N makes it refuse the Nth
// allocation after the variable was set.
#include "allocator.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/core/impl/alloc_cpu.h>

#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "settings.h"

namespace fake_cuda {
namespace {

using c10::CachingAllocator::format_size;
using c10::CachingDeviceAllocator::DeviceStats;

constexpr size_t kRounding = 512;  // as in CUDACachingAllocator.cpp
constexpr auto kTotal = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);

struct Block {
  size_t size;
  size_t used;  // what statistics count: LibTorch's allocator would split the block
  c10::DeviceIndex device;
};

class Memory {
 public:
  explicit Memory(c10::DeviceIndex device) : device_(device) {}

  Block reserve(size_t requested, void** data) {
    const size_t size = (requested + kRounding - 1) / kRounding * kRounding;
    // A cached block is used for up to half its size, so that little of it is wasted.
    const auto cached = cached_.lower_bound(size);
    if (cached != cached_.end() && cached->first <= 2 * size) {
      const Block block{cached->first, size, device_};
      *data = cached->second;
      cached_.erase(cached);
      return count(block);
    }
    if (!has_room(size)) empty_cache();
    if (!has_room(size)) refuse(requested);
    *data = c10::alloc_cpu(size);
    statistics_.reserved_bytes[kTotal].increase(size);
    return count({size, size, device_});
  }

  void release(const Block& block, void* data) {
    statistics_.allocated_bytes[kTotal].decrease(block.used);
    cached_.emplace(block.size, data);
  }

  void empty_cache() {
    for (const auto& [size, data] : cached_) {
      c10::free_cpu(data);
      statistics_.reserved_bytes[kTotal].decrease(size);
    }
    cached_.clear();
  }

  [[noreturn]] void refuse(size_t requested) {
    ++statistics_.num_ooms;
    const auto allocated = static_cast<uint64_t>(statistics_.allocated_bytes[kTotal].current);
    TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate ",
                     format_size(requested), ". GPU ", static_cast<int>(device_),
                     " has a total capacity of ", format_size(device_memory()), " of which ",
                     format_size(free_bytes()), " is free. Of the allocated memory ",
                     format_size(allocated), " is allocated by PyTorch.");
    std::abort();
  }

  uint64_t free_bytes() const {
    return static_cast<uint64_t>(
        std::max<int64_t>(device_memory() - statistics_.reserved_bytes[kTotal].current, 0));
  }

  DeviceStats& statistics() { return statistics_; }

 private:
  bool has_room(size_t size) const { return size <= free_bytes(); }

  Block count(const Block& block) {
    statistics_.allocated_bytes[kTotal].increase(block.used);
    return block;
  }

  c10::DeviceIndex device_;
  std::multimap<size_t, void*> cached_;
  DeviceStats statistics_;
};

// Counts down to the allocation that FAKE_CUDA_REFUSE names.
class Refusal {
 public:
  bool is_due() {
    const char* text = std::getenv("FAKE_CUDA_REFUSE");
    const std::string setting = text == nullptr ? "" : text;
    if (setting != setting_) {
      setting_ = setting;
      left_ = read_setting("FAKE_CUDA_REFUSE", 0);
    }
    return left_ > 0 && --left_ == 0;
  }

 private:
  std::string setting_;
  int64_t left_ = 0;
};

class Allocator final : public c10::DeviceAllocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const c10::Device device = c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->getDevice();
    if (bytes == 0) return {nullptr, device};
    const std::lock_guard lock(mutex_);
    Memory& memory = of(device.index());
    if (refusal_.is_due()) memory.refuse(bytes);
    void* data = nullptr;
    const Block block = memory.reserve(bytes, &data);
    blocks_.emplace(data, block);
    return {data, data, &release, device};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

  bool initialized() override {
    const std::lock_guard lock(mutex_);
    return !devices_.empty();
  }
  void initialize() {
    const std::lock_guard lock(mutex_);
    for (int i = static_cast<int>(devices_.size()); i < device_count(); ++i) {
      devices_.emplace_back(static_cast<c10::DeviceIndex>(i));
    }
  }

  void emptyCache(c10::MempoolId_t) override {
    const std::lock_guard lock(mutex_);
    for (Memory& memory : devices_) memory.empty_cache();
  }
  void recordStream(const c10::DataPtr&, c10::Stream) override {}

  DeviceStats getDeviceStats(c10::DeviceIndex device) override {
    const std::lock_guard lock(mutex_);
    return of(device).statistics();
  }
  void resetAccumulatedStats(c10::DeviceIndex device) override {
    const std::lock_guard lock(mutex_);
    of(device).statistics().allocated_bytes[kTotal].reset_accumulated();
    of(device).statistics().reserved_bytes[kTotal].reset_accumulated();
  }
  void resetPeakStats(c10::DeviceIndex device) override {
    const std::lock_guard lock(mutex_);
    of(device).statistics().allocated_bytes[kTotal].reset_peak();
    of(device).statistics().reserved_bytes[kTotal].reset_peak();
  }
  std::pair<size_t, size_t> getMemoryInfo(c10::DeviceIndex device) override {
    const std::lock_guard lock(mutex_);
    return {of(device).free_bytes(), static_cast<size_t>(device_memory())};
  }

 private:
  static void release(void* data);

  Memory& of(c10::DeviceIndex device) { return devices_.at(static_cast<size_t>(device)); }

  std::mutex mutex_;
  std::vector<Memory> devices_;
  std::unordered_map<void*, Block> blocks_;
  Refusal refusal_;
};

// Never destroyed: tensors can outlive the library's static objects.
Allocator& shared() {
  static auto* allocator = new Allocator;
  return *allocator;
}

void Allocator::release(void* data) {
  Allocator& allocator = shared();
  const std::lock_guard lock(allocator.mutex_);
  const auto block = allocator.blocks_.find(data);
  allocator.of(block->second.device).release(block->second, data);
  allocator.blocks_.erase(block);
}

const bool registered = [] {
  c10::SetAllocator(c10::DeviceType::CUDA, &shared());
  return true;
}();

}  // namespace

c10::Allocator* allocator() { return &shared(); }
void initialize_allocator() { shared().initialize(); }

}  // namespace fake_cuda
