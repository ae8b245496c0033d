#include "cuda/program.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <tuple>

#include "cuda/driver.h"
#include "cuda/nvrtc.h"
#include "cuda/sources.h"

namespace karlo::cuda {
namespace {

class LoadedProgram : public Program {
 public:
  LoadedProgram(const char* path, c10::ScalarType dtype, c10::Device device)
      : driver_(driver()), device_(device) {
    const c10::DeviceGuard guard(device_);
    driver_.enter(device_.index());
    module_ =
        driver_.load(nvrtc().compile(path, dtype, driver_.architecture(device_.index())).code);
  }

 protected:
  void launch_with(const char* kernel, const Grid& grid, const void* argument) const override {
    const c10::DeviceGuard guard(device_);
    driver_.enter(device_.index());
    const c10::impl::VirtualGuardImpl device(device_.type());
    driver_.launch(driver_.function(module_, kernel),
                   {static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
                    static_cast<unsigned>(grid.z)},
                   static_cast<unsigned>(grid.threads),
                   device.getStreamNativeHandle(device.getStream(device_)), argument);
  }

 private:
  const Driver& driver_;
  c10::Device device_;
  Driver::Module module_;
};

bool switched_off() {
  static const char* value = std::getenv("KARLO_CUDA_KERNELS");
  return value != nullptr && std::strcmp(value, "0") == 0;
}

// A program, or the reason why there is none. Kept until the process ends: LibTorch's threads may
// use the device until then.
struct Entry {
  std::unique_ptr<Program> program;
  std::string reason;
};

Entry load(const char* path, c10::ScalarType dtype, c10::Device device) {
  if (switched_off()) return {nullptr, "KARLO_CUDA_KERNELS is 0"};
  try {
    return {std::make_unique<LoadedProgram>(path, dtype, device), ""};
  } catch (const std::exception& error) {
    return {nullptr, error.what()};
  }
}

const Entry& find(const char* path, c10::ScalarType dtype, c10::Device device) {
  static std::mutex mutex;
  static auto* entries =
      new std::map<std::tuple<std::string, c10::ScalarType, c10::DeviceIndex>, Entry>();
  const std::lock_guard<std::mutex> lock(mutex);
  const auto key = std::make_tuple(std::string(path), dtype, device.index());
  const auto known = entries->find(key);
  if (known != entries->end()) return known->second;
  return entries->emplace(key, load(path, dtype, device)).first->second;
}

}  // namespace

const Program* find_program(const char* path, const at::Tensor& like) {
  if (!like.is_cuda() || !has_kernels_for(like.scalar_type())) return nullptr;
  return find(path, like.scalar_type(), like.device()).program.get();
}

std::string why_no_programs(c10::Device device) {
  for (const Source& source : sources()) {
    const std::string path = source.path;
    const bool kernels = path.size() > 3 && path.compare(path.size() - 3, 3, ".cu") == 0;
    if (!kernels) continue;
    const Entry& entry = find(source.path, c10::ScalarType::Float, device);
    if (entry.program == nullptr) return entry.reason;
  }
  return "";
}

}  // namespace karlo::cuda
