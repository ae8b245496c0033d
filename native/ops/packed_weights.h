#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace karlo::ops {

// Caches weights in the layouts that kernels pack them into, for as long as the weights themselves
// live. Weights are assumed not to change.
class PackedWeights {
 public:
  // The cache of the process.
  static PackedWeights& shared();

  // Returns the cached value for these weights, or what `make` returns. `layout`: the numbers that
  // the value depends on besides the weights.
  template <typename Value, typename Make>
  std::shared_ptr<const Value> get(at::TensorList weights, std::vector<int64_t> layout,
                                   const Make& make) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(weights[0].unsafeGetTensorImpl());
    if (found != entries_.end() && found->second.matches(weights, layout)) {
      return std::static_pointer_cast<const Value>(found->second.value);
    }
    drop_expired();
    const auto value = std::make_shared<const Value>(make());
    entries_.insert_or_assign(weights[0].unsafeGetTensorImpl(),
                              Entry(weights, std::move(layout), value));
    return value;
  }

  // Drops the entries of weights that no longer exist.
  void trim();

 private:
  struct Entry {
    // A weak reference keeps the address from being reused.
    std::vector<c10::weak_intrusive_ptr<at::TensorImpl>> weights;
    std::vector<int64_t> layout;
    std::shared_ptr<const void> value;

    Entry(at::TensorList weights, std::vector<int64_t> layout, std::shared_ptr<const void> value);
    bool matches(at::TensorList others, const std::vector<int64_t>& other_layout) const;
  };

  void drop_expired();

  std::mutex mutex_;
  std::map<const at::TensorImpl*, Entry> entries_;
};

}  // namespace karlo::ops
