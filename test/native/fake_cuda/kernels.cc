// The operators that have a kernel for CUDA: those that allocate or move memory, those that LibTorch
// gives to cuDNN, and the choice of attention.
#include <ATen/Context.h>
#include <ATen/EmptyTensor.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/native/transformers/sdp_utils_cpp.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "allocator.h"
#include "cpu_alias.h"
#include "fallback.h"

namespace fake_cuda {
namespace {

constexpr c10::DispatchKeySet kCuda(c10::DispatchKey::CUDA);

c10::Device initialized(std::optional<c10::Device> device) {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  return device.value_or(c10::Device(c10::DeviceType::CUDA));
}

at::Tensor empty(at::IntArrayRef size, std::optional<at::ScalarType> dtype,
                 std::optional<at::Layout>, std::optional<c10::Device> device, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  const c10::OptionalDeviceGuard guard(initialized(device));
  return at::detail::empty_generic(size, allocator(), kCuda, at::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(at::IntArrayRef size, at::IntArrayRef stride,
                         std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                         std::optional<c10::Device> device, std::optional<bool>) {
  const c10::OptionalDeviceGuard guard(initialized(device));
  return at::detail::empty_strided_generic(size, stride, allocator(), kCuda,
                                           at::dtype_or_default(dtype));
}

// Between any two devices.
at::Tensor& copy_(at::Tensor& to, const at::Tensor& from, bool non_blocking) {
  CpuAliases aliases(to.device());
  aliases.alias(to).copy_(aliases.alias(from), non_blocking);
  return to;
}

int64_t choose_attention(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                         const std::optional<at::Tensor>&, double, bool, std::optional<double>,
                         bool) {
  return static_cast<int64_t>(sdp::SDPBackend::math);
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("empty.memory_format", TORCH_FN(empty));
  library.impl("empty_strided", TORCH_FN(empty_strided));
  library.impl("copy_", TORCH_FN(copy_));
  library.impl("convolution", torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}

}  // namespace
}  // namespace fake_cuda

namespace at::native {
REGISTER_CUDA_DISPATCH(_fused_sdp_choice_stub, &fake_cuda::choose_attention)
}
