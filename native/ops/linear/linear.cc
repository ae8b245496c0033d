#include "ops/linear/linear.h"

#include <ATen/ops/linear.h>

#include "ops/linear/cpu_linear.h"
#include "ops/operator.h"

namespace karlo::ops {
namespace {

constexpr char kSchema[] = "linear(Tensor x, Tensor weight, Tensor? bias) -> Tensor";

at::Tensor composed(const at::Tensor& x, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias) {
  return at::linear(x, weight, bias);
}

at::Tensor on_cpu(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  return kernels_allowed() && cpu::can_use_linear(x, weight, bias) ? cpu::linear(x, weight, bias)
                                                                   : composed(x, weight, bias);
}

const auto& op() {
  static const auto op = define_operator("linear", kSchema,
                                         {torch::CppFunction(TORCH_FN(composed)),
                                          torch::CppFunction(TORCH_FN(on_cpu)), std::nullopt})
                             .typed<decltype(composed)>();
  return op;
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  return op().call(x, weight, bias);
}

void register_linear() { op(); }

}  // namespace karlo::ops
