#include "cpu_alias.h"

#include <c10/core/CPUAllocator.h>
#include <c10/core/DeviceGuard.h>

#include <cstring>

#include "allocator.h"

namespace fake_cuda {
namespace {

c10::Storage make_storage(size_t bytes, c10::DataPtr data, c10::Allocator* allocator) {
  return c10::Storage(c10::Storage::use_byte_size_t(), bytes, std::move(data), allocator,
                      /*resizable=*/true);
}

void copy_geometry(const at::Tensor& from, const at::Tensor& to) {
  to.unsafeGetTensorImpl()->set_sizes_and_strides(from.sizes(), from.strides(),
                                                  from.storage_offset());
}

// A tensor over a storage, with the sizes, strides and dtype of another.
at::Tensor make_tensor(const c10::Storage& storage, c10::DispatchKey key, const at::Tensor& like) {
  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      c10::Storage(storage), c10::DispatchKeySet(key), like.dtype());
  copy_geometry(like, tensor);
  if (like.unsafeGetTensorImpl()->is_wrapped_number()) {
    tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  }
  return tensor;
}

c10::DataPtr copy_to_device(const c10::Storage& storage, c10::Device device) {
  const c10::DeviceGuard guard(device);
  c10::DataPtr data = allocator()->allocate(storage.nbytes());
  if (storage.nbytes() > 0) std::memcpy(data.get(), storage.data(), storage.nbytes());
  return data;
}

}  // namespace

at::Tensor CpuAliases::alias(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.is_cuda()) return tensor;
  for (const auto& [original, alias] : tensors_) {
    if (original.is_same(tensor)) return alias;
  }
  at::Tensor alias = view_of(tensor);
  if (precision_ == Precision::kFloat32 && at::isReducedFloatingType(tensor.scalar_type())) {
    rounded_ = tensor.scalar_type();
    alias = alias.to(at::kFloat);
  }
  tensors_.emplace_back(tensor, alias);
  return alias;
}

at::Tensor CpuAliases::view_of(const at::Tensor& tensor) {
  return make_tensor(alias_storage(tensor.storage()), c10::DispatchKey::CPU, tensor);
}

c10::Storage CpuAliases::alias_storage(const c10::Storage& storage) {
  for (const auto& [original, alias] : storages_) {
    if (original.is_alias_of(storage)) return alias;
  }
  c10::DataPtr data(storage.mutable_data(), c10::Device(c10::DeviceType::CPU));
  c10::Storage alias = make_storage(storage.nbytes(), std::move(data), c10::GetCPUAllocator());
  storages_.emplace_back(storage, alias);
  return alias;
}

void CpuAliases::update_resized() {
  for (auto& [original, alias] : storages_) {
    if (alias.data() == original.data() && alias.nbytes() == original.nbytes()) continue;
    original.set_data_ptr(copy_to_device(alias, original.device()));
    original.set_nbytes(alias.nbytes());
  }
  for (const auto& [original, alias] : tensors_) {
    if (alias.dtype() == original.dtype()) copy_geometry(alias, original);
  }
}

at::Tensor CpuAliases::restore(const at::Tensor& result) {
  if (!result.defined() || !result.is_cpu()) return result;
  for (const auto& [original, alias] : tensors_) {
    if (!alias.is_same(result)) continue;
    if (rounded_) view_of(original).copy_(result);
    return original;
  }
  if (rounded_) {
    const at::Tensor rounded = result.to(*rounded_);
    return make_tensor(restore_storage(rounded.storage()), c10::DispatchKey::CUDA, rounded);
  }
  return make_tensor(restore_storage(result.storage()), c10::DispatchKey::CUDA, result);
}

c10::Storage CpuAliases::restore_storage(const c10::Storage& storage) {
  for (const auto& [original, alias] : storages_) {
    if (alias.unsafeGetStorageImpl() == storage.unsafeGetStorageImpl()) return original;
  }
  c10::Storage original =
      make_storage(storage.nbytes(), copy_to_device(storage, device_), allocator());
  storages_.emplace_back(original, storage);
  return original;
}

}  // namespace fake_cuda
