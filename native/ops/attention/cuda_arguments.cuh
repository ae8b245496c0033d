#pragma once

namespace karlo::cuda {

// [B, heads, rows, depth], where the elements of a row are consecutive. Strides are in elements.
struct HeadRows {
  const void* data;
  long long batch, head, row;
};

// The argument of the kernel in cuda.cu.
struct CachedAttentionArguments {
  HeadRows queries;                     // `rows`
  HeadRows cached_keys, cached_values;  // `cached` rows
  HeadRows keys, values;                // `rows`, which follow them
  HeadRows bias;                        // of the logits, [B, 1, rows, keys]; null if absent
  void* y;                              // [B, rows, heads, depth]
  int rows, cached, depth;
  float scale;  // of q k^T
};

constexpr int kWarpThreads = 32;
constexpr int kAttentionWarps = 8;  // in a block
constexpr int kAttentionRows = 4;   // queries per block
constexpr int kMostKeys = 1024;
constexpr int kMostDepth = 128;

}  // namespace karlo::cuda
