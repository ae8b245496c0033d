#include "ops/attention/cuda_attention.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <cstdint>

#include "ops/attention/cuda_arguments.cuh"

namespace karlo::ops::cuda {
namespace {

using namespace karlo::cuda;  // NOLINT

constexpr int64_t kMostRows = 8;        // more are faster with LibTorch's kernels
constexpr int64_t kMostImages = 65535;  // of a grid's second dimension

int64_t cached_rows(const CachedAttention& in) {
  return in.cached_keys ? in.cached_keys->size(2) : 0;
}

// Whether `rows` has the dtype, the device and all sizes of q except the number of rows.
bool fits(const at::Tensor& rows, int64_t count, const at::Tensor& q) {
  return rows.dim() == 4 && rows.scalar_type() == q.scalar_type() && rows.device() == q.device() &&
         rows.size(0) == q.size(0) && rows.size(1) == q.size(1) && rows.size(2) == count &&
         rows.size(3) == q.size(3) && rows.stride(3) == 1;
}

bool fits(const std::optional<at::Tensor>& rows, int64_t count, const at::Tensor& q) {
  return rows ? fits(*rows, count, q) : count == 0;
}

bool bias_fits(const std::optional<at::Tensor>& bias, int64_t keys, const at::Tensor& q) {
  return !bias || (bias->dim() == 4 && bias->scalar_type() == q.scalar_type() &&
                   bias->device() == q.device() &&
                   (bias->size(0) == q.size(0) || bias->size(0) == 1) && bias->size(1) == 1 &&
                   bias->size(2) == q.size(2) && bias->size(3) == keys && bias->stride(3) == 1);
}

HeadRows view(const at::Tensor& rows) {
  return {rows.const_data_ptr(), rows.stride(0), rows.stride(1), rows.stride(2)};
}

HeadRows view(const std::optional<at::Tensor>& rows) {
  return rows ? view(*rows) : HeadRows{nullptr, 0, 0, 0};
}

}  // namespace

bool can_use_cached_attention(const CachedAttention& in) {
  if (in.q.dim() != 4 || in.q.numel() == 0) return false;
  const int64_t rows = in.q.size(2), cached = cached_rows(in), keys = cached + rows;
  return rows <= kMostRows && keys <= kMostKeys && in.q.size(3) <= kMostDepth &&
         in.q.size(0) <= kMostImages && fits(in.q, rows, in.q) && fits(in.k, rows, in.q) &&
         fits(in.v, rows, in.q) && fits(in.cached_keys, cached, in.q) &&
         fits(in.cached_values, cached, in.q) && bias_fits(in.bias, keys, in.q);
}

at::Tensor cached_attention(const Program& program, const CachedAttention& in) {
  const int64_t batch = in.q.size(0), heads = in.q.size(1), rows = in.q.size(2),
                depth = in.q.size(3);
  at::Tensor y = at::empty({batch, rows, heads * depth}, in.q.options());
  HeadRows bias = view(in.bias);
  if (in.bias && in.bias->size(0) == 1) bias.batch = 0;
  const CachedAttentionArguments arguments{
      view(in.q),
      view(in.cached_keys),
      view(in.cached_values),
      view(in.k),
      view(in.v),
      bias,
      y.mutable_data_ptr(),
      static_cast<int>(rows),
      static_cast<int>(cached_rows(in)),
      static_cast<int>(depth),
      static_cast<float>(1 / std::sqrt(static_cast<double>(depth))),
  };
  const int64_t blocks = (rows + kAttentionRows - 1) / kAttentionRows;
  program.launch("cached_attention", {heads, batch, blocks, kAttentionWarps * kWarpThreads},
                 arguments);
  return y;
}

}  // namespace karlo::ops::cuda
