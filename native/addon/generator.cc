#include "addon/generator.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include "addon/arguments.h"
#include "addon/tensor.h"

namespace karlo {
namespace {

// The Mersenne Twister keeps the low 32 bits of a seed: a wider one would repeat a narrower one.
constexpr int64_t kHighestSeed = 0xFFFFFFFF;

std::shared_ptr<at::Generator> Unwrap(const Napi::CallbackInfo& info) {
  return Handle<at::Generator>::Unwrap(info[0], "generator");
}

}  // namespace

Napi::Value GeneratorCreate(const Napi::CallbackInfo& info) {
  const int64_t seed = ReadInteger(info[0], "seed", 0, kHighestSeed);
  auto generator =
      std::make_shared<at::Generator>(at::detail::createCPUGenerator(static_cast<uint64_t>(seed)));
  return Handle<at::Generator>::Wrap(info.Env(), std::move(generator));
}

Napi::Value GeneratorRandn(const Napi::CallbackInfo& info) {
  const auto generator = Unwrap(info);
  const auto shape = ReadShape(info[1], "shape");
  const c10::InferenceMode inference_mode;
  return WrapTensor(info.Env(), at::randn(shape, *generator, at::TensorOptions(at::kFloat)));
}

Napi::Value GeneratorGetState(const Napi::CallbackInfo& info) {
  const auto generator = Unwrap(info);
  return WrapTensor(info.Env(), generator->get_state());
}

Napi::Value GeneratorSetState(const Napi::CallbackInfo& info) {
  const auto generator = Unwrap(info);
  const at::Tensor state = UnwrapTensor(info[1], "state");
  // On a copy first: a state that LibTorch refuses must not leave a half-set generator.
  at::Generator copy = generator->clone();
  try {
    copy.set_state(state.contiguous());
  } catch (const c10::Error&) {
    throw Expected("state of a Generator", "state", info[1]);
  }
  *generator = copy;
  return info.Env().Undefined();
}

Napi::Value GeneratorDispose(const Napi::CallbackInfo& info) {
  Handle<at::Generator>::Dispose(info[0], "generator");
  return info.Env().Undefined();
}

}  // namespace karlo
