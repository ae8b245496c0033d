#include "ops/packed_weights.h"

#include <iterator>

namespace karlo::ops {

// Never destroyed: LibTorch may be destroyed first when the process exits.
PackedWeights& PackedWeights::shared() {
  static auto* const shared = new PackedWeights;
  return *shared;
}

PackedWeights::Entry::Entry(at::TensorList tensors, std::vector<int64_t> layout,
                            std::shared_ptr<const void> value)
    : layout(std::move(layout)), value(std::move(value)) {
  for (const at::Tensor& tensor : tensors) weights.emplace_back(tensor.getIntrusivePtr());
}

bool PackedWeights::Entry::matches(at::TensorList others,
                                   const std::vector<int64_t>& other_layout) const {
  if (others.size() != weights.size() || layout != other_layout) return false;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i]._unsafe_get_target() != others[i].unsafeGetTensorImpl()) return false;
  }
  return true;
}

void PackedWeights::trim() {
  const std::lock_guard<std::mutex> lock(mutex_);
  drop_expired();
}

void PackedWeights::drop_expired() {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.weights[0].expired() ? entries_.erase(entry) : std::next(entry);
  }
}

}  // namespace karlo::ops
