#include "ops/group_norm/group_norm.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <mutex>

#include "core/parallel.h"
#include "ops/group_norm/cpu_moments.h"
#include "ops/operator.h"
#include "simd/kernels.h"

namespace karlo::nets {
namespace {

using Optional = std::optional<at::Tensor>;

constexpr char kSchema[] =
    "group_norm(Tensor x, int groups, Tensor weight, Tensor bias, float eps, Tensor? offset, "
    "Tensor? scale, Tensor? shift, bool silu) -> Tensor";

at::Tensor over_pixels(const at::Tensor& values) { return values.unsqueeze(-1).unsqueeze(-1); }

at::Tensor composed(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                    const at::Tensor& bias, double eps, const Optional& offset,
                    const Optional& scale, const Optional& shift, bool silu) {
  at::Tensor y = at::group_norm(offset ? x + over_pixels(*offset) : x, groups, weight, bias, eps);
  if (scale) y = y * (over_pixels(*scale) + 1);
  if (shift) y = y + over_pixels(*shift);
  return silu ? at::silu(y) : y;
}

// Pixels of a picture that are worked on at once.
constexpr int64_t kRows = 128;

cpu::Modulations modulations_of(const at::Tensor& x, const Optional& offset, const Optional& scale,
                                const Optional& shift) {
  const int64_t batch = x.size(0), channels = x.size(1);
  cpu::Modulations modulations(batch, channels);
  if (offset) modulations.offset = cpu::each(*offset, batch, channels);
  if (scale) modulations.scale = cpu::each(*scale, batch, channels);
  if (shift) modulations.shift = cpu::each(*shift, batch, channels);
  return modulations;
}

template <typename T>
at::Tensor fused(const at::Tensor& x, const cpu::Norm& norm, const cpu::Modulations& modulations,
                 bool silu) {
  const int64_t batch = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  at::Tensor y = at::empty_like(x);
  const T* from = x.const_data_ptr<T>();
  T* to = y.mutable_data_ptr<T>();
  cpu::ChannelMoments moments(batch, channels);
  moments.add(from, pixels, channels);
  const cpu::Affine affine = moments.normalize(norm, modulations);
  const cpu::RowKernels<T>& rows = cpu::kernels().rows<T>();
  const auto transform = silu ? rows.transform_silu : rows.transform;
  const int64_t chunks = (pixels + kRows - 1) / kRows;
  cpu::parallel(batch * chunks, std::min(kRows, pixels) * channels, [&](int64_t chunk) {
    const int64_t picture = chunk / chunks, start = chunk % chunks * kRows;
    const int64_t first = (picture * pixels + start) * channels;
    transform(from + first, std::min(kRows, pixels - start), channels,
              affine.gain.data() + picture * channels, affine.lift.data() + picture * channels,
              to + first);
  });
  return y;
}

at::Tensor on_cpu(const at::Tensor& given, int64_t groups, const at::Tensor& weight,
                  const at::Tensor& bias, double eps, const Optional& offset, const Optional& scale,
                  const Optional& shift, bool silu) {
  TORCH_CHECK(given.dim() == 4 && groups > 0 && given.size(1) % groups == 0 && given.numel() > 0,
              "group_norm: expected [B, C, H, W] with C a multiple of ", groups);
  const at::Tensor x = given.contiguous(at::MemoryFormat::ChannelsLast);
  const cpu::Norm norm{weight, bias, groups, eps};
  switch (x.scalar_type()) {
    case at::kFloat:
      return fused<float>(x, norm, modulations_of(x, offset, scale, shift), silu);
    case at::kBFloat16:
      return fused<at::BFloat16>(x, norm, modulations_of(x, offset, scale, shift), silu);
    default:
      return composed(x, groups, weight, bias, eps, offset, scale, shift, silu);
  }
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, const Modulation& modulation, bool silu) {
  register_group_norm();
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("karlo::group_norm", "")
                             .typed<decltype(composed)>();
  return op.call(x, groups, weight, bias, eps, modulation.offset, modulation.scale,
                 modulation.shift, silu);
}

void register_group_norm() {
  static std::once_flag once;
  std::call_once(once, [] {
    define_operator("group_norm", kSchema,
                    {torch::CppFunction(TORCH_FN(composed)), torch::CppFunction(TORCH_FN(on_cpu)),
                     std::nullopt});
  });
}

}  // namespace karlo::nets
