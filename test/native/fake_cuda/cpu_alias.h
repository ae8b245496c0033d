#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <utility>
#include <vector>

namespace fake_cuda {

// How 16-bit floats are computed.
enum class Precision {
  kAsStored,
  kFloat32,  // as matrix units of a GPU do, which round the sums once
};

// The tensors of a call, as CPU tensors over the same memory, and what the call makes of them.
class CpuAliases {
 public:
  // @param device where new tensors are
  explicit CpuAliases(c10::Device device, Precision precision = Precision::kAsStored)
      : device_(device), precision_(precision) {}

  // The CPU tensor of one on the device. Others, of the CPU, are returned as they are.
  at::Tensor alias(const at::Tensor& tensor);
  // Passes the sizes and the memory of resized tensors on to the tensors on the device.
  void update_resized();
  // The tensor on the device for one that the call returned.
  at::Tensor restore(const at::Tensor& result);

 private:
  at::Tensor view_of(const at::Tensor& tensor);
  c10::Storage alias_storage(const c10::Storage& storage);
  c10::Storage restore_storage(const c10::Storage& storage);

  c10::Device device_;
  Precision precision_;
  std::optional<at::ScalarType> rounded_;  // the dtype of results that were computed in float32
  std::vector<std::pair<at::Tensor, at::Tensor>> tensors_;       // on the device, on the CPU
  std::vector<std::pair<c10::Storage, c10::Storage>> storages_;  // on the device, on the CPU
};

}  // namespace fake_cuda
