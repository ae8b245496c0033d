// The operators that have a kernel for CUDA: those that allocate or move memory, products of
// matrices, and the choice of attention.
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

at::Tensor& set_storage(at::Tensor& tensor, at::Storage source, int64_t offset,
                        at::IntArrayRef size, at::IntArrayRef stride) {
  auto* impl = tensor.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(std::move(source));
  impl->set_sizes_and_strides(size, stride, offset);
  return tensor;
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
  library.impl("set_.source_Storage_storage_offset", TORCH_FN(set_storage));
  for (const char* product : {"addmm.out", "baddbmm.out", "bmm.out", "convolution", "mm.out"}) {
    library.impl(product, torch::CppFunction::makeFromBoxedFunction<&run_in_float32>());
  }
}

}  // namespace
}  // namespace fake_cuda

namespace at::native {
REGISTER_CUDA_DISPATCH(_fused_sdp_choice_stub, &fake_cuda::choose_attention)
}
