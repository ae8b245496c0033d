#include "ops/group_norm/cpu_group_norm.h"

#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "core/parallel.h"
#include "simd/kernels.h"

namespace karlo::ops::cpu {
namespace {

// Pixels of an image that a thread computes at a time.
constexpr int64_t kPixels = 128;

Conditioning expand(const Modulation& modulation, int64_t batch, int64_t channels) {
  Conditioning all(batch, channels);
  if (modulation.offset) all.offset = expand_floats(*modulation.offset, batch, channels);
  if (modulation.scale) all.scale = expand_floats(*modulation.scale, batch, channels);
  if (modulation.shift) all.shift = expand_floats(*modulation.shift, batch, channels);
  return all;
}

template <typename T>
at::Tensor compute(const at::Tensor& x, const Norm& norm, const Conditioning& conditioning,
                   bool silu) {
  const int64_t batch = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  at::Tensor y = at::empty_like(x);
  const T* from = x.const_data_ptr<T>();
  T* to = y.mutable_data_ptr<T>();
  ChannelMoments moments(batch, channels);
  moments.add(from, pixels, channels);
  const Affine affine = moments.normalize(norm, conditioning);
  const simd::RowKernels<T>& kernels = simd::kernels().rows<T>();
  const auto transform = silu ? kernels.affine_silu : kernels.affine;
  const int64_t chunks = (pixels + kPixels - 1) / kPixels;
  parallel(batch * chunks, std::min(kPixels, pixels) * channels, [&](int64_t chunk) {
    const int64_t image = chunk / chunks, start = chunk % chunks * kPixels;
    const int64_t first = (image * pixels + start) * channels;
    transform(from + first, std::min(kPixels, pixels - start), channels, affine.at(image),
              to + first);
  });
  return y;
}

}  // namespace

bool can_use_group_norm(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
}

at::Tensor group_norm(const at::Tensor& x, const Norm& norm, const Modulation& modulation,
                      bool silu) {
  const Conditioning conditioning = expand(modulation, x.size(0), x.size(1));
  return x.scalar_type() == at::kFloat ? compute<float>(x, norm, conditioning, silu)
                                       : compute<at::BFloat16>(x, norm, conditioning, silu);
}

}  // namespace karlo::ops::cpu
