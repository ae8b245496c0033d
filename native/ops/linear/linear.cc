#include "ops/linear/linear.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/linear.h>

#include <mutex>

#include "ops/linear/cpu_linear.h"
#include "ops/operator.h"

namespace karlo::nets {
namespace {

constexpr char kSchema[] = "linear(Tensor x, Tensor weight, Tensor? bias) -> Tensor";

at::Tensor composed(const at::Tensor& x, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias) {
  return at::linear(x, weight, bias);
}

at::Tensor on_cpu(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  if (cpu::suits_linear(x, weight, bias)) return cpu::linear(x, weight, bias);
  return composed(x, weight, bias);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  register_linear();
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("karlo::linear", "")
                             .typed<decltype(composed)>();
  return op.call(x, weight, bias);
}

void register_linear() {
  static std::once_flag once;
  std::call_once(once, [] {
    define_operator("linear", kSchema,
                    {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                     std::nullopt});
  });
}

}  // namespace karlo::nets
