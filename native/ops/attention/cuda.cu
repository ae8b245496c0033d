// Attention of a few queries to cached keys and their own: the steps of the prior. ATen's needs
// copies that join cached and new keys and values, and its kernels divide the work by queries, of
// which there are three here.
#include "cuda/device.cuh"
#include "ops/attention/cuda_arguments.cuh"

namespace karlo::cuda {

constexpr int kLaneItems = kMostDepth / kWarp;

__device__ inline const Number* row_of(const HeadRows& rows, int batch, int head, int row) {
  return static_cast<const Number*>(rows.data) + batch * rows.batch + head * rows.head +
         row * rows.row;
}

// A block for each head (x), image (y) and kAttentionRows queries (z). The warps divide the keys
// among them.
KARLO_KERNEL cached_attention(CachedAttentionArguments in) {
  __shared__ float logits[kAttentionRows][kMostKeys];
  __shared__ float parts[kAttentionWarps][kAttentionRows][kMostDepth];
  __shared__ float sums[kAttentionRows];
  const int head = blockIdx.x, batch = blockIdx.y, first = blockIdx.z * kAttentionRows;
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const int keys = in.cached + in.rows;
  const int rows = in.rows - first < kAttentionRows ? in.rows - first : kAttentionRows;

  float q[kAttentionRows][kLaneItems] = {};
  for (int r = 0; r < kAttentionRows; ++r) {
    for (int i = 0; i < kLaneItems; ++i) {
      const int c = lane + i * kWarp;
      if (r < rows && c < in.depth) {
        q[r][i] = to_float(row_of(in.queries, batch, head, first + r)[c]) * in.scale;
      }
    }
  }
  for (int k = warp; k < keys; k += kAttentionWarps) {
    const Number* key = k < in.cached ? row_of(in.cached_keys, batch, head, k)
                                      : row_of(in.keys, batch, head, k - in.cached);
    float dot[kAttentionRows] = {};
    for (int i = 0; i < kLaneItems; ++i) {
      const int c = lane + i * kWarp;
      const float item = c < in.depth ? to_float(key[c]) : 0.0f;
      for (int r = 0; r < kAttentionRows; ++r) dot[r] += q[r][i] * item;
    }
    for (int r = 0; r < kAttentionRows; ++r) {
      const float logit = sum_of_warp(dot[r]);
      if (lane != 0 || r >= rows) continue;
      const bool biased = in.bias.data != nullptr;
      logits[r][k] = biased ? logit + to_float(row_of(in.bias, batch, 0, first + r)[k]) : logit;
    }
  }
  __syncthreads();

  // The softmax of a row in a warp.
  if (warp < rows) {
    float* row = logits[warp];
    float highest = row[0], sum = 0.0f;
    for (int k = lane; k < keys; k += kWarp) highest = fmaxf(highest, row[k]);
    highest = max_of_warp(highest);
    for (int k = lane; k < keys; k += kWarp) {
      row[k] = expf(row[k] - highest);
      sum += row[k];
    }
    sum = sum_of_warp(sum);
    if (lane == 0) sums[warp] = sum;
  }
  __syncthreads();

  float attended[kAttentionRows][kLaneItems] = {};
  for (int k = warp; k < keys; k += kAttentionWarps) {
    const Number* value = k < in.cached ? row_of(in.cached_values, batch, head, k)
                                        : row_of(in.values, batch, head, k - in.cached);
    for (int i = 0; i < kLaneItems; ++i) {
      const int c = lane + i * kWarp;
      const float item = c < in.depth ? to_float(value[c]) : 0.0f;
      for (int r = 0; r < kAttentionRows; ++r) {
        if (r < rows) attended[r][i] += logits[r][k] * item;
      }
    }
  }
  for (int r = 0; r < kAttentionRows; ++r) {
    for (int i = 0; i < kLaneItems; ++i) parts[warp][r][lane + i * kWarp] = attended[r][i];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < rows * in.depth; i += kAttentionWarps * kWarp) {
    const int r = i / in.depth, c = i % in.depth;
    float sum = 0.0f;
    for (int w = 0; w < kAttentionWarps; ++w) sum += parts[w][r][c];
    const long long row = (long long)batch * in.rows + first + r;
    Number* y = static_cast<Number*>(in.y) + (row * gridDim.x + head) * in.depth + c;
    from_float(sum / sums[r], *y);
  }
}

}  // namespace karlo::cuda
