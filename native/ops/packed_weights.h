#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace karlo::nets::cpu {

// What kernels made of weights for themselves, for as long as these live. Weights do not change.
class PackedWeights {
 public:
  // Of the whole process.
  static PackedWeights& shared();

  // What `make` makes of these weights, or made of them before.
  template <typename Value, typename Make>
  std::shared_ptr<const Value> get(at::TensorList weights, const Make& make) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(weights[0].unsafeGetTensorImpl());
    if (found != entries_.end() && found->second.is_of(weights)) {
      return std::static_pointer_cast<const Value>(found->second.value);
    }
    drop_expired();
    const auto value = std::make_shared<const Value>(make());
    entries_.insert_or_assign(weights[0].unsafeGetTensorImpl(), Entry(weights, value));
    return value;
  }

  // Forgets what was made of weights that are gone.
  void trim();

 private:
  struct Entry {
    // A weak reference keeps the address from being used again.
    std::vector<c10::weak_intrusive_ptr<at::TensorImpl>> weights;
    std::shared_ptr<const void> value;

    Entry(at::TensorList of, std::shared_ptr<const void> value);
    bool is_of(at::TensorList others) const;
  };

  void drop_expired();

  std::mutex mutex_;
  std::map<const at::TensorImpl*, Entry> entries_;
};

}  // namespace karlo::nets::cpu
