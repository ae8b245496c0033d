#pragma once

#include "simd/vectors.h"

namespace karlo::simd {
namespace {

// The transforms of Winograd's F(2x2, 3x3): Lavin & Gray 2016, section 4.1.
template <int kLanes>
struct WinogradLoops : VectorLoops<kLanes> {
  using Base = VectorLoops<kLanes>;
  using V = Vectors<kLanes>;
  using Float = typename V::Float;
  using Base::each_vector;
  using Base::load;
  using Base::store;
  using Base::store_part;

  // B^T d B of a tile d.
  template <typename Component>
  static void transform_input(const WinogradInput<Component>& row) {
    for (int64_t tile = 0; tile < row.tiles; ++tile) {
      const int64_t x = (row.upsampled ? tile : 2 * tile) * row.channels;
      Component* to = row.components + tile * row.tile_stride;
      each_vector(row.channels, [&](int64_t c, auto load_it, auto store_it) {
        const auto at = [&](int y, int column) {
          return load_it(row.rows[y] + x + column * row.channels + c);
        };
        if (row.upsampled) {
          // The rows of an upsampled tile are p, q, q, r: the third component is zero.
          Float columns[3][3];
          KARLO_UNROLL
          for (int i = 0; i < 3; ++i) {
            const Float p = at(0, i), q = at(1, i), r = at(2, i);
            columns[0][i] = p - q;
            columns[1][i] = q + q;
            columns[2][i] = q - r;
          }
          KARLO_UNROLL
          for (int k = 0; k < 3; ++k) {
            const Float p = columns[k][0], q = columns[k][1], r = columns[k][2];
            store_it(p - q, to + (3 * k) * row.component_stride + c);
            store_it(q + q, to + (3 * k + 1) * row.component_stride + c);
            store_it(q - r, to + (3 * k + 2) * row.component_stride + c);
          }
          return;
        }
        Float columns[4][4];
        KARLO_UNROLL
        for (int i = 0; i < 4; ++i) {
          const Float p = at(0, i), q = at(1, i), r = at(2, i), s = at(3, i);
          columns[0][i] = p - r;
          columns[1][i] = q + r;
          columns[2][i] = r - q;
          columns[3][i] = q - s;
        }
        KARLO_UNROLL
        for (int k = 0; k < 4; ++k) {
          const Float p = columns[k][0], q = columns[k][1], r = columns[k][2], s = columns[k][3];
          store_it(p - r, to + (4 * k) * row.component_stride + c);
          store_it(q + r, to + (4 * k + 1) * row.component_stride + c);
          store_it(r - q, to + (4 * k + 2) * row.component_stride + c);
          store_it(q - s, to + (4 * k + 3) * row.component_stride + c);
        }
      });
    }
  }

  // A^T m A of the products m of a tile.
  template <typename T>
  static void transform_output(const WinogradOutput<T>& row) {
    for (int64_t tile = 0; tile < row.tiles; ++tile) {
      const int64_t first = tile * row.product_stride;
      const int64_t pixel = 2 * tile * row.pixel_stride;
      each_vector(row.channels, [&](int64_t c, auto load_it, auto store_it) {
        const auto at = [&](int k) { return load_it(row.products[k] + first + c); };
        Float rows[2][4] = {};
        const int columns = row.upsampled ? 3 : 4;
        KARLO_UNROLL
        for (int i = 0; i < 4; ++i) {
          if (i == columns) break;
          if (row.upsampled) {
            const Float p = at(i), q = at(3 + i), s = at(6 + i);
            rows[0][i] = p + q;
            rows[1][i] = q - s;
          } else {
            const Float p = at(i), q = at(4 + i), r = at(8 + i), s = at(12 + i);
            rows[0][i] = p + q + r;
            rows[1][i] = q - r - s;
          }
        }
        const Float bias = load_it(row.bias + c);
        KARLO_UNROLL
        for (int y = 0; y < 2; ++y) {
          Float left, right;
          if (row.upsampled) {
            left = rows[y][0] + rows[y][1];
            right = rows[y][1] - rows[y][2];
          } else {
            left = rows[y][0] + rows[y][1] + rows[y][2];
            right = rows[y][1] - rows[y][2] - rows[y][3];
          }
          left += bias;
          right += bias;
          if (row.residual[y] != nullptr) {
            left += load_it(row.residual[y] + pixel + c);
            right += load_it(row.residual[y] + pixel + row.pixel_stride + c);
          }
          store_it(left, row.y[y] + pixel + c);
          store_it(right, row.y[y] + pixel + row.pixel_stride + c);
        }
      });
    }
  }

  // G g G^T of 3x3 weights g, for a vector of input channels at a time.
  static void transform_weights(const float* weights, int64_t count, bool upsampled,
                                float* components, int64_t component_stride) {
    for (int64_t i = 0; i < count; i += kLanes, weights += 9 * kLanes) {
      const int64_t part = count - i < kLanes ? count - i : kLanes;
      float by_position[9][kLanes] = {};
      for (int64_t lane = 0; lane < part; ++lane) {
        for (int k = 0; k < 9; ++k) by_position[k][lane] = weights[lane * 9 + k];
      }
      Float g[9];
      KARLO_UNROLL
      for (int k = 0; k < 9; ++k) g[k] = load(by_position[k]);
      each_component(g, upsampled, [&](int component, Float value) {
        float* to = components + component * component_stride + i;
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
  static KARLO_INLINE void each_component(const Float (&weights)[9], bool upsampled, const F& f) {
    Float rows[4][3];
    KARLO_UNROLL
    for (int x = 0; x < 3; ++x) {
      transform_column(weights[x], weights[3 + x], weights[6 + x],
                       [&](int k, Float value) { rows[k][x] = value; });
    }
    KARLO_UNROLL
    for (int y = 0; y < 4; ++y) {
      if (upsampled && y == 2) continue;  // the component that is zero, see transform_input()
      const int row = upsampled ? (y == 3 ? 2 : y) * 3 : y * 4;
      transform_column(rows[y][0], rows[y][1], rows[y][2], [&](int k, Float value) {
        if (!upsampled) {
          f(row + k, value);
        } else if (k != 2) {
          f(row + (k == 3 ? 2 : k), value);
        }
      });
    }
  }

  // G g of one column.
  template <typename F>
  static KARLO_INLINE void transform_column(Float p, Float q, Float r, const F& f) {
    const Float outer = (p + r) * 0.5f, inner = q * 0.5f;
    f(0, p);
    f(1, outer + inner);
    f(2, outer - inner);
    f(3, r);
  }
};

}  // namespace
}  // namespace karlo::simd
