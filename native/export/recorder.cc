#include "export/recorder.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace karlo::exporting {

void Recorder::operator()(const std::string& name, const std::vector<Argument>& arguments,
                          const std::function<Tensors(const Tensors&)>& body) const {
  const bool all = wanted_.empty();
  if (all || std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end()) {
    add_method(module_, name, arguments, body);
  }
}

at::Tensor example(at::IntArrayRef shape, at::ScalarType dtype) {
  return at::empty(shape, at::TensorOptions().dtype(dtype).device(at::kMeta));
}

at::Tensor example_mask(int64_t tokens) { return example({2, tokens}, at::kBool); }

Argument example_t() { return {"t", example({2}, at::kLong)}; }

at::Tensor example_cache(at::IntArrayRef shape) { return example(shape, at::kBFloat16); }

}  // namespace karlo::exporting
