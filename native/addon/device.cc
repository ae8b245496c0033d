#include "addon/device.h"

#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <vector>

#include "addon/arguments.h"
#include "core/cpu_allocator.h"
#include "core/cuda.h"
#include "core/mps.h"
#include "cuda/program.h"
#include "ops/packed_weights.h"
#include "simd/kernels.h"

namespace karlo {

Napi::Value version(const Napi::CallbackInfo& info) {
  auto version = Napi::Object::New(info.Env());
  version.Set("libtorch", TORCH_VERSION);
  version.Set("cpuCapability", at::get_cpu_capability());
  version.Set("kernels", simd::instruction_set().name);
  return version;
}

Napi::Value cuda_driver(const Napi::CallbackInfo& info) {
  const auto driver = find_cuda_driver();
  auto result = Napi::Object::New(info.Env());
  result.Set("present", driver.present);
  result.Set("version", driver.version);
  result.Set("reason", driver.reason);
  return result;
}

Napi::Value cuda_devices(const Napi::CallbackInfo& info) {
  const auto usable = static_cast<size_t>(usable_cuda_devices());
  const auto listed = usable > 0 ? list_cuda_devices() : std::vector<CudaDeviceInfo>();
  auto devices = Napi::Array::New(info.Env());
  for (size_t i = 0; i < listed.size() && i < usable; ++i) {
    auto device = Napi::Object::New(info.Env());
    device.Set("name", listed[i].name);
    device.Set("totalMemory", static_cast<double>(listed[i].total_memory));
    devices.Set(static_cast<uint32_t>(i), device);
  }
  return devices;
}

Napi::Value cuda_kernels(const Napi::CallbackInfo& info) {
  const c10::Device device = read_device(info[0], "device");
  return Napi::String::New(info.Env(), device.is_cuda() ? cuda::why_no_programs(device)
                                                        : device.str() + " is no CUDA device");
}

Napi::Value mps_device(const Napi::CallbackInfo& info) {
  const auto found = find_mps_device();
  auto device = Napi::Object::New(info.Env());
  device.Set("usable", found.usable);
  device.Set("bfloat16", found.bfloat16);
  device.Set("totalMemory", static_cast<double>(found.total_memory));
  return device;
}

namespace {

MemoryStatistics statistics_of(c10::Device device) {
  if (device.is_cpu()) return cpu_memory();
  return device.is_mps() ? mps_memory() : cuda_memory(device.index());
}

}  // namespace

Napi::Value memory(const Napi::CallbackInfo& info) {
  const auto statistics = statistics_of(read_device(info[0], "device"));
  auto memory = Napi::Object::New(info.Env());
  memory.Set("allocated", static_cast<double>(statistics.allocated));
  memory.Set("reserved", static_cast<double>(statistics.reserved));
  memory.Set("peak", static_cast<double>(statistics.peak));
  return memory;
}

Napi::Value trim_memory(const Napi::CallbackInfo& info) {
  ops::PackedWeights::shared().trim();
  trim_cpu_memory();
  if (usable_cuda_devices() > 0) trim_cuda_memory();
  if (find_mps_device().usable) trim_mps_memory();
  return info.Env().Undefined();
}

}  // namespace karlo
