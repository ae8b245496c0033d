// What LibTorch asks its CUDA library.
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "allocator.h"
#include "settings.h"

namespace fake_cuda {
namespace {

using c10::DeviceIndex;

const c10::impl::DeviceGuardImplInterface& guard() {
  return *c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA);
}

// LibTorch looks for this name.
struct CUDAHooks final : at::CUDAHooksInterface {
  explicit CUDAHooks(at::CUDAHooksArgs) {}

  void init() const override { initialize_allocator(); }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return device_count() > 0; }
  bool hasCUDA() const override { return true; }
  bool hasPrimaryContext(DeviceIndex) const override { return true; }
  int getNumGPUs() const override { return device_count(); }
  DeviceIndex deviceCount() const override { return static_cast<DeviceIndex>(device_count()); }
  void deviceSynchronize(DeviceIndex) const override {}

  c10::Allocator* getCUDADeviceAllocator() const override { return allocator(); }

  DeviceIndex current_device() const override { return guard().getDevice().index(); }
  DeviceIndex getCurrentDevice() const override { return current_device(); }
  void setCurrentDevice(DeviceIndex index) const override { guard().setDevice(device(index)); }
  DeviceIndex exchangeDevice(DeviceIndex index) const override {
    return guard().exchangeDevice(device(index)).index();
  }
  DeviceIndex maybeExchangeDevice(DeviceIndex index) const override {
    return index < 0 ? current_device() : exchangeDevice(index);
  }

 private:
  static c10::Device device(DeviceIndex index) { return {c10::DeviceType::CUDA, index}; }
};

using at::CUDAHooksRegistry;
using at::RegistererCUDAHooksRegistry;
REGISTER_CUDA_HOOKS(CUDAHooks)

}  // namespace
}  // namespace fake_cuda
