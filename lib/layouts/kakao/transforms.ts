import type { Step } from '../../networks/weights.js';

/** How a network's tensor follows from a stored one, for a given shape of the network's. */
export interface Transform {
  /** Shape that the stored tensor must have. */
  source(shape: readonly number[]): number[];
  steps(shape: readonly number[]): Step[];
}

/** Head size of every attention layer of the Kakao layout. */
export const KAKAO_HEAD = 64;

/** The stored tensor as it is. */
export const same: Transform = { source: (shape) => [...shape], steps: () => [] };

/** A linear layer's weight, stored as that of a one-dimensional convolution: `[out, in, 1]`. */
export const pointwise: Transform = {
  source: trailingOne,
  steps: (shape) => (shape.length === 1 ? [] : [{ op: 'reshape', shape }]),
};

/** Stored as `[columns, rows]`. */
export const transposed: Transform = {
  source: (shape) => [...shape].reverse(),
  steps: () => [{ op: 'transpose', dim0: 0, dim1: 1 }],
};

/** `[1, width]`, stored as `[width]`. */
export const row: Transform = {
  source: (shape) => shape.slice(1),
  steps: (shape) => [{ op: 'reshape', shape }],
};

/** Matrix `index` of `of` stacked ones. */
export function stacked(index: number, of: number): Transform {
  return {
    source: ([rows = 0, ...rest]) => [of * rows, ...rest],
    steps: ([rows = 0]) => [{ op: 'slice', dim: 0, start: index * rows, end: (index + 1) * rows }],
  };
}

/** Matrix `index` of `of` whose rows are interleaved by head: q, k, v of head 0, then of head 1. */
export function interleaved(index: number, of: number): Transform {
  return {
    source: ([rows = 0, ...rest]) => [of * rows, ...rest],
    steps: (shape) => {
      const [rows = 0, ...rest] = shape;
      return [
        { op: 'reshape', shape: [rows / KAKAO_HEAD, of, KAKAO_HEAD, ...rest] },
        { op: 'select', dim: 1, index },
        { op: 'reshape', shape },
      ];
    },
  };
}

/** `interleaved` in a one-dimensional convolution. */
export function interleavedPointwise(index: number, of: number): Transform {
  const inner = interleaved(index, of);
  return { source: (shape) => trailingOne(inner.source(shape)), steps: inner.steps };
}

/** Adds a last dimension of size 1 to a weight's shape, not to a bias's. */
function trailingOne(shape: readonly number[]): number[] {
  return shape.length === 1 ? [...shape] : [...shape, 1];
}
