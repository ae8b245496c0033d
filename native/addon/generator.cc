#include "addon/generator.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include "addon/arguments.h"
#include "addon/tensor.h"

namespace karlo {
namespace {

// The Mersenne Twister uses only the low 32 bits of a seed.
constexpr int64_t kMaxSeed = 0xFFFFFFFF;

std::shared_ptr<at::Generator> unwrap_generator(const Napi::CallbackInfo& info) {
  return Handle<at::Generator>::unwrap(info[0], "generator");
}

}  // namespace

Napi::Value generator_create(const Napi::CallbackInfo& info) {
  const int64_t seed = read_integer(info[0], "seed", 0, kMaxSeed);
  auto generator =
      std::make_shared<at::Generator>(at::detail::createCPUGenerator(static_cast<uint64_t>(seed)));
  return Handle<at::Generator>::wrap(info.Env(), std::move(generator));
}

Napi::Value generator_randn(const Napi::CallbackInfo& info) {
  const auto generator = unwrap_generator(info);
  const auto shape = read_shape(info[1], "shape");
  const c10::InferenceMode inference_mode;
  return wrap_tensor(info.Env(), at::randn(shape, *generator, at::TensorOptions(at::kFloat)));
}

Napi::Value generator_get_state(const Napi::CallbackInfo& info) {
  const auto generator = unwrap_generator(info);
  return wrap_tensor(info.Env(), generator->get_state());
}

Napi::Value generator_set_state(const Napi::CallbackInfo& info) {
  const auto generator = unwrap_generator(info);
  const at::Tensor state = unwrap_tensor(info[1], "state");
  // Set on a copy, so that a state that LibTorch rejects does not corrupt the generator.
  at::Generator copy = generator->clone();
  try {
    copy.set_state(state.contiguous());
  } catch (const c10::Error&) {
    throw invalid_argument("state of a Generator", "state", info[1]);
  }
  *generator = copy;
  return info.Env().Undefined();
}

Napi::Value generator_dispose(const Napi::CallbackInfo& info) {
  Handle<at::Generator>::dispose(info[0], "generator");
  return info.Env().Undefined();
}

}  // namespace karlo
