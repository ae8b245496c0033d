#pragma once

#include "simd/vectors.h"
#include "simd/winograd_transforms.h"

namespace karlo::simd {
namespace {

// The transforms of Winograd convolutions, for vectors of channels.
template <int kLanes>
struct WinogradLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::each_vector;
  using Base::load;
  using Base::store;
  using Base::store_part;
  template <WinogradTile kTile>
  using Transforms = WinogradTransforms<Float, kTile>;

  // Calls f with the tile as a constant.
  template <typename F>
  static KARLO_INLINE void with_tile(WinogradTile tile, const F& f) {
    switch (tile) {
      case WinogradTile::k2x2:
        return f(std::integral_constant<WinogradTile, WinogradTile::k2x2>());
      case WinogradTile::k4x4:
        return f(std::integral_constant<WinogradTile, WinogradTile::k4x4>());
      case WinogradTile::kUpsampled:
        return f(std::integral_constant<WinogradTile, WinogradTile::kUpsampled>());
    }
  }

  template <typename Component>
  static void transform_input(const WinogradInput<Component>& row) {
    with_tile(row.tile, [&](auto tile) { transform_input_of<tile>(row); });
  }

  // B^T d B of a tile d.
  template <WinogradTile kTile, typename Component>
  static KARLO_INLINE void transform_input_of(const WinogradInput<Component>& row) {
    constexpr int kSize = winograd_size(kTile);
    for (int64_t tile = 0; tile < row.tiles; ++tile) {
      const int64_t x = winograd_step(kTile) * tile * row.channels;
      Component* to = row.components + tile * row.tile_stride;
      each_vector(row.channels, [&](int64_t c, auto load_it, auto store_it) {
        Float columns[kSize][kSize];  // by row of components
        KARLO_UNROLL
        for (int i = 0; i < kSize; ++i) {
          Float pixels[kSize], transformed[kSize];
          KARLO_UNROLL
          for (int y = 0; y < kSize; ++y) {
            pixels[y] = load_it(row.rows[y] + x + i * row.channels + c);
          }
          Transforms<kTile>::input(pixels, transformed);
          KARLO_UNROLL
          for (int k = 0; k < kSize; ++k) columns[k][i] = transformed[k];
        }
        KARLO_UNROLL
        for (int k = 0; k < kSize; ++k) {
          Float components[kSize];
          Transforms<kTile>::input(columns[k], components);
          KARLO_UNROLL
          for (int i = 0; i < kSize; ++i) {
            store_it(components[i], to + (kSize * k + i) * row.component_stride + c);
          }
        }
      });
    }
  }

  template <typename T>
  static void transform_output(const WinogradOutput<T>& row) {
    with_tile(row.tile, [&](auto tile) { transform_output_of<tile>(row); });
  }

  // A^T m A of the products m of a tile, plus bias and residual.
  template <WinogradTile kTile, typename T>
  static KARLO_INLINE void transform_output_of(const WinogradOutput<T>& row) {
    constexpr int kSize = winograd_size(kTile), kOutput = winograd_output(kTile);
    for (int64_t tile = 0; tile < row.tiles; ++tile) {
      const int64_t first = tile * row.product_stride;
      const int64_t pixel = kOutput * tile * row.pixel_stride;
      each_vector(row.channels, [&](int64_t c, auto load_it, auto store_it) {
        Float rows[kOutput][kSize];
        KARLO_UNROLL
        for (int i = 0; i < kSize; ++i) {
          Float products[kSize], transformed[kOutput];
          KARLO_UNROLL
          for (int k = 0; k < kSize; ++k) {
            products[k] = load_it(row.products[kSize * k + i] + first + c);
          }
          Transforms<kTile>::output(products, transformed);
          KARLO_UNROLL
          for (int y = 0; y < kOutput; ++y) rows[y][i] = transformed[y];
        }
        const Float bias = load_it(row.bias + c);
        KARLO_UNROLL
        for (int y = 0; y < kOutput; ++y) {
          Float pixels[kOutput];
          Transforms<kTile>::output(rows[y], pixels);
          KARLO_UNROLL
          for (int x = 0; x < kOutput; ++x) {
            const int64_t at = pixel + x * row.pixel_stride + c;
            pixels[x] += bias;
            if (row.residual[y] != nullptr) pixels[x] += load_it(row.residual[y] + at);
            store_it(pixels[x], row.y[y] + at);
          }
        }
      });
    }
  }

  // G g G^T of 3x3 weights g, for a vector of input channels at a time.
  template <typename T>
  static void transform_weights(const T* weights, int64_t count, WinogradTile tile, T* components,
                                int64_t component_stride) {
    for (int64_t i = 0; i < count; i += kLanes, weights += 9 * kLanes) {
      const int64_t part = count - i < kLanes ? count - i : kLanes;
      float by_position[9][kLanes] = {};
      for (int64_t lane = 0; lane < part; ++lane) {
        for (int k = 0; k < 9; ++k) by_position[k][lane] = weights[lane * 9 + k];
      }
      Float g[9];
      KARLO_UNROLL
      for (int k = 0; k < 9; ++k) g[k] = load(by_position[k]);
      each_component(g, tile, [&](int component, Float value) {
        T* to = components + component * component_stride + i;
        if (part == kLanes) {
          store(value, to);
        } else {
          store_part(value, to, part);
        }
      });
    }
  }

  // Calls f(component, value) for the components of G g G^T.
  template <typename F>
  static KARLO_INLINE void each_component(const Float (&weights)[9], WinogradTile tile,
                                          const F& f) {
    with_tile(tile, [&](auto constant) { each_component_of<constant>(weights, f); });
  }

  template <WinogradTile kTile, typename F>
  static KARLO_INLINE void each_component_of(const Float (&weights)[9], const F& f) {
    constexpr int kSize = winograd_size(kTile);
    Float rows[kSize][3];
    KARLO_UNROLL
    for (int x = 0; x < 3; ++x) {
      Float column[kSize];
      Transforms<kTile>::weights({weights[x], weights[3 + x], weights[6 + x]}, column);
      KARLO_UNROLL
      for (int k = 0; k < kSize; ++k) rows[k][x] = column[k];
    }
    KARLO_UNROLL
    for (int k = 0; k < kSize; ++k) {
      Float row[kSize];
      Transforms<kTile>::weights(rows[k], row);
      KARLO_UNROLL
      for (int i = 0; i < kSize; ++i) f(kSize * k + i, row[i]);
    }
  }
};

}  // namespace
}  // namespace karlo::simd
