// Every operator without a kernel for CUDA runs the CPU's on the same memory.
#include "fallback.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/op_registration/adaption.h>
#include <torch/library.h>

#include <optional>
#include <string>

#include "cpu_alias.h"

namespace fake_cuda {
namespace {

using torch::jit::Stack;

// A kernel for CUDA takes scalars and indices of the CPU, like LibTorch's.
bool may_be_on_cpu(const at::Tensor& tensor, const c10::Argument& argument) {
  return tensor.is_cpu() && (tensor.dim() == 0 || argument.name() == "indices");
}

template <typename F>
void each_tensor(const c10::IValue& value, const F& f) {
  if (value.isTensor()) f(value.toTensor());
  if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) f(tensor);
  }
  if (value.isOptionalTensorList()) {
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
      if (tensor) f(*tensor);
    }
  }
}

// The device of all tensors. Throws LibTorch's error if there are several.
c10::Device common_device(const c10::OperatorHandle& op, at::ArrayRef<c10::IValue> arguments) {
  const std::string method = "wrapper_CUDA_" + op.operator_name().name.substr(strlen("aten::"));
  std::optional<c10::Device> device;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const c10::Argument& argument = op.schema().arguments()[i];
    each_tensor(arguments[i], [&](const at::Tensor& tensor) {
      if (!tensor.defined() || may_be_on_cpu(tensor, argument)) return;
      c10::impl::check_and_update_common_device(device, tensor, method.c_str(),
                                                argument.name().c_str());
    });
  }
  TORCH_CHECK(device && device->is_cuda(), op.operator_name(), " has no tensor on a CUDA device");
  return *device;
}

// The value with each of its tensors replaced by f(tensor).
template <typename F>
c10::IValue with_tensors(const c10::IValue& value, const F& f) {
  if (value.isTensor()) return f(value.toTensor());
  if (value.isTensorList()) {
    std::vector<at::Tensor> tensors = value.toTensorVector();
    for (at::Tensor& tensor : tensors) tensor = f(tensor);
    return tensors;
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> tensors;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorVector()) {
      tensors.push_back(tensor ? std::make_optional(f(*tensor)) : std::nullopt);
    }
    return tensors;
  }
  return value;
}

// Replaces each tensor in the last `count` values.
template <typename F>
void replace_last(Stack* stack, size_t count, const F& f) {
  for (size_t i = stack->size() - count; i < stack->size(); ++i) {
    (*stack)[i] = with_tensors((*stack)[i], f);
  }
}

void run(const c10::OperatorHandle& op, Stack* stack, Precision precision) {
  const size_t count = op.schema().arguments().size();
  const c10::Device device = common_device(op, torch::jit::last(*stack, count));
  CpuAliases aliases(device, precision);
  replace_last(stack, count, [&](const at::Tensor& tensor) { return aliases.alias(tensor); });
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  aliases.update_resized();
  replace_last(stack, op.schema().returns().size(),
               [&](const at::Tensor& tensor) { return aliases.restore(tensor); });
}

}  // namespace

void run_on_cpu(const c10::OperatorHandle& op, Stack* stack) {
  run(op, stack, Precision::kAsStored);
}

void run_in_float32(const c10::OperatorHandle& op, Stack* stack) {
  run(op, stack, Precision::kFloat32);
}

TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}

}  // namespace fake_cuda
