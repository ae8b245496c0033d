#pragma once

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// The transforms of Winograd convolutions in one dimension, by tile: B^T of pixels, A^T of products
// and G of weights (Lavin & Gray 2016, section 4.1). In two dimensions, they are applied to the
// columns and then to the rows.
template <typename Float, WinogradTile kTile>
struct WinogradTransforms;

template <typename Float>
struct WinogradTransforms<Float, WinogradTile::k2x2> {
  static KARLO_INLINE void input(const Float (&d)[4], Float (&v)[4]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  static KARLO_INLINE void output(const Float (&m)[4], Float (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
  static KARLO_INLINE void weights(const Float (&g)[3], Float (&u)[4]) {
    const Float outer = (g[0] + g[2]) * 0.5f, inner = g[1] * 0.5f;
    u[0] = g[0];
    u[1] = outer + inner;
    u[2] = outer - inner;
    u[3] = g[2];
  }
};

// The pixels of an upsampled tile are p, q, q, r, for which one component of k2x2 is zero.
template <typename Float>
struct WinogradTransforms<Float, WinogradTile::kUpsampled> {
  static KARLO_INLINE void input(const Float (&d)[3], Float (&v)[3]) {
    v[0] = d[0] - d[1];
    v[1] = d[1] + d[1];
    v[2] = d[1] - d[2];
  }
  static KARLO_INLINE void output(const Float (&m)[3], Float (&y)[2]) {
    y[0] = m[0] + m[1];
    y[1] = m[1] - m[2];
  }
  static KARLO_INLINE void weights(const Float (&g)[3], Float (&u)[3]) {
    u[0] = g[0];
    u[1] = (g[0] + g[2]) * 0.5f + g[1] * 0.5f;
    u[2] = g[2];
  }
};

// Interpolates at 0, +-a, +-b and infinity. With the usual points, a = 1 and b = 2, results would
// have twice the error (Barabasz et al. 2020, arXiv 1803.10986, on the choice of points). With
// these, all numbers in the transforms of pixels and products are exact, and a convolution is as
// accurate as LibTorch's: see docs/guide/performance.md.
template <typename Float>
struct WinogradTransforms<Float, WinogradTile::k4x4> {
  static constexpr float a = 0.625f, b = 1.5f;
  static constexpr float aa = a * a, bb = b * b;

  static KARLO_INLINE void input(const Float (&d)[6], Float (&v)[6]) {
    const Float even_a = d[4] - d[2] * bb, odd_a = (d[3] - d[1] * bb) * a;
    const Float even_b = d[4] - d[2] * aa, odd_b = (d[3] - d[1] * aa) * b;
    v[0] = d[0] * (aa * bb) - d[2] * (aa + bb) + d[4];
    v[1] = even_a + odd_a;
    v[2] = even_a - odd_a;
    v[3] = even_b + odd_b;
    v[4] = even_b - odd_b;
    v[5] = d[1] * (aa * bb) - d[3] * (aa + bb) + d[5];
  }
  static KARLO_INLINE void output(const Float (&m)[6], Float (&y)[4]) {
    const Float even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const Float even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = odd_a * a + odd_b * b;
    y[2] = even_a * aa + even_b * bb;
    y[3] = odd_a * (a * aa) + odd_b * (b * bb) + m[5];
  }
  static KARLO_INLINE void weights(const Float (&g)[3], Float (&u)[6]) {
    // The products of the distances to the other points.
    constexpr float of_a = 1 / (2 * aa * (aa - bb)), of_b = 1 / (2 * bb * (bb - aa));
    const Float outer_a = g[0] + g[2] * aa, inner_a = g[1] * a;
    const Float outer_b = g[0] + g[2] * bb, inner_b = g[1] * b;
    u[0] = g[0] * (1 / (aa * bb));
    u[1] = (outer_a + inner_a) * of_a;
    u[2] = (outer_a - inner_a) * of_a;
    u[3] = (outer_b + inner_b) * of_b;
    u[4] = (outer_b - inner_b) * of_b;
    u[5] = g[2];
  }
};

}  // namespace
}  // namespace karlo::simd
