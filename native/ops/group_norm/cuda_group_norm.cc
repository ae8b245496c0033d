#include "ops/group_norm/cuda_group_norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <cstdint>
#include <limits>

#include "ops/group_norm/cuda_arguments.cuh"

namespace karlo::ops::cuda {
namespace {

using namespace karlo::cuda;  // NOLINT

constexpr int kThreads = 256;
constexpr int64_t kMostImages = 65535;  // of a grid's second dimension

using Values = std::optional<at::Tensor>;

bool can_use(const Values& values, const at::Tensor& x) {
  return !values || (values->scalar_type() == x.scalar_type() && values->device() == x.device() &&
                     values->dim() == 2 && values->size(1) == x.size(1) &&
                     (values->size(0) == x.size(0) || values->size(0) == 1) &&
                     (values->stride(1) == 1 || values->size(1) == 1));
}

bool can_use(const at::Tensor& parameter, const at::Tensor& x) {
  return parameter.scalar_type() == x.scalar_type() && parameter.device() == x.device() &&
         parameter.is_contiguous() && parameter.numel() == x.size(1);
}

ChannelValues view(const Values& values) {
  if (!values) return {nullptr, 0};
  return {values->const_data_ptr(), values->size(0) == 1 ? 0 : values->stride(0)};
}

int64_t parts_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

bool is_aligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % kPackBytes == 0; }

}  // namespace

bool can_use_group_norm(const at::Tensor& x, const Norm& norm, const Modulation& modulation) {
  // The kernels count an image's elements in 32 bits.
  return x.size(0) <= kMostImages && x.numel() / x.size(0) <= std::numeric_limits<int32_t>::max() &&
         can_use(norm.weight, x) && can_use(norm.bias, x) && can_use(modulation.offset, x) &&
         can_use(modulation.scale, x) && can_use(modulation.shift, x);
}

at::Tensor group_norm(const Program& program, const at::Tensor& x, const Norm& norm,
                      const Modulation& modulation, bool silu) {
  const int64_t batch = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
  const int64_t slices = parts_of(pixels, kSlicePixels);
  const at::TensorOptions floats = x.options().dtype(at::kFloat).memory_format(std::nullopt);
  const at::Tensor sums = at::empty({batch, slices, 2, channels}, floats);
  const at::Tensor factors = at::empty({batch, 3, channels}, floats);
  at::Tensor y = at::empty_like(x);
  const GroupNormArguments arguments{
      x.const_data_ptr(),
      y.mutable_data_ptr(),
      norm.weight.const_data_ptr(),
      norm.bias.const_data_ptr(),
      view(modulation.offset),
      view(modulation.scale),
      view(modulation.shift),
      sums.mutable_data_ptr<float>(),
      factors.mutable_data_ptr<float>(),
      norm.eps,
      static_cast<int>(pixels),
      static_cast<int>(channels),
      static_cast<int>(norm.groups),
      silu,
  };
  const int64_t pack = kPackBytes / static_cast<int64_t>(x.element_size());
  const bool vector = channels % pack == 0 && is_aligned(arguments.x) && is_aligned(arguments.y);
  const int64_t packs = vector ? channels / pack : channels;
  const auto blocks_for = [](int64_t threads) { return parts_of(threads, kThreads); };
  const int64_t groups_of_pixels = parts_of(pixels, kPixelsAtOnce);
  program.launch(vector ? "group_norm_moments_vector" : "group_norm_moments",
                 {blocks_for(slices * packs), batch, 1, kThreads}, arguments);
  program.launch("group_norm_factors", {norm.groups, batch, 1, kFactorThreads}, arguments);
  program.launch(vector ? "group_norm_apply_vector" : "group_norm_apply",
                 {blocks_for(groups_of_pixels * packs), batch, 1, kThreads}, arguments);
  return y;
}

}  // namespace karlo::ops::cuda
