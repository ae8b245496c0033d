#include "export/meta_kernels.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace karlo::exporting {
namespace {

using Normalized = std::tuple<at::Tensor, at::Tensor, at::Tensor>;  // output, mean, 1 / deviation

Normalized group_norm(const at::Tensor& x, const std::optional<at::Tensor>& weight,
                      const std::optional<at::Tensor>& bias, c10::SymInt batch,
                      c10::SymInt channels, c10::SymInt pixels, int64_t groups, double eps) {
  const at::Tensor statistic = x.new_empty_symint({std::move(batch), groups});
  return {at::empty_like(x), statistic, at::empty_like(statistic)};
}

Normalized layer_norm(const at::Tensor& x, c10::SymIntArrayRef shape,
                      const std::optional<at::Tensor>& weight,
                      const std::optional<at::Tensor>& bias, double eps) {
  std::vector<int64_t> sizes = x.sizes().vec();
  std::fill(sizes.end() - static_cast<std::ptrdiff_t>(shape.size()), sizes.end(), 1);
  const at::Tensor statistic = x.new_empty(sizes);
  return {at::empty_like(x), statistic, at::empty_like(statistic)};
}

// The networks have no transposed convolutions.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, c10::SymIntArrayRef stride,
                       c10::SymIntArrayRef padding, c10::SymIntArrayRef dilation, bool transposed,
                       c10::SymIntArrayRef output_padding, c10::SymInt groups) {
  std::vector<c10::SymInt> sizes{x.sym_size(0), weight.sym_size(0)};
  for (size_t i = 0; i < stride.size(); ++i) {
    const auto dim = static_cast<int64_t>(i) + 2;
    const c10::SymInt kernel = dilation[i] * (weight.sym_size(dim) - 1) + 1;
    sizes.push_back((x.sym_size(dim) + padding[i] * 2 - kernel) / stride[i] + 1);
  }
  return x.new_empty_symint(sizes);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::optional<at::Tensor>& mask, double dropout, bool causal,
                     std::optional<double> scale, bool grouped) {
  std::vector<c10::SymInt> sizes = q.sym_sizes().vec();
  sizes.back() = v.sym_size(-1);
  return q.new_empty_symint(sizes);
}

at::Tensor embedding(const at::Tensor& weight, const at::Tensor& ids, c10::SymInt padding,
                     bool scale, bool sparse) {
  std::vector<c10::SymInt> sizes = ids.sym_sizes().vec();
  sizes.push_back(weight.sym_size(1));
  return weight.new_empty_symint(sizes);
}

bool missing(const char* name) {
  return !c10::Dispatcher::singleton().findSchemaOrThrow(name, "").hasKernelForDispatchKey(
      c10::DispatchKey::Meta);
}

}  // namespace

void register_meta_kernels() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Never destroyed: LibTorch's registry may be destroyed first when the process exits.
    auto* library = new torch::Library(torch::Library::IMPL, "aten", c10::DispatchKey::Meta,
                                       __FILE__, __LINE__);
    if (missing("aten::convolution_overrideable")) {
      library->impl("convolution_overrideable", TORCH_FN(convolution));
    }
    if (missing("aten::native_group_norm")) {
      library->impl("native_group_norm", TORCH_FN(group_norm));
    }
    if (missing("aten::native_layer_norm")) {
      library->impl("native_layer_norm", TORCH_FN(layer_norm));
    }
    if (missing("aten::embedding")) library->impl("embedding", TORCH_FN(embedding));
    if (missing("aten::scaled_dot_product_attention")) {
      library->impl("scaled_dot_product_attention", TORCH_FN(attention));
    }
  });
}

}  // namespace karlo::exporting
