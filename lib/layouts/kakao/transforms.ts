import type { Step } from '../../networks/weights.js';

/** How a network's tensor is computed from a stored one. */
export interface Transform {
  /** The shape of the stored tensor, for a shape of the network's tensor. */
  source(shape: readonly number[]): number[];
  /** The steps from the stored tensor to the network's. */
  steps(shape: readonly number[]): Step[];
}

/** Head size of every attention layer of the Kakao layout. */
export const KAKAO_HEAD = 64;

/** Stored unchanged. */
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

/** Matrix `index` of `of` matrices, stored one below the other. */
export function stacked(index: number, of: number): Transform {
  return {
    source: ([rows = 0, ...rest]) => [of * rows, ...rest],
    steps: ([rows = 0]) => [{ op: 'slice', dim: 0, start: index * rows, end: (index + 1) * rows }],
  };
}

/** Matrix `index` of `of` matrices whose rows are interleaved by head: q, k, v of head 0, then of head 1. */
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

/** `interleaved`, stored as the weight of a one-dimensional convolution. */
export function interleavedPointwise(index: number, of: number): Transform {
  const inner = interleaved(index, of);
  return { source: (shape) => trailingOne(inner.source(shape)), steps: inner.steps };
}

/** Adds a last dimension of size 1 to the shape of a weight, but not of a bias. */
function trailingOne(shape: readonly number[]): number[] {
  return shape.length === 1 ? [...shape] : [...shape, 1];
}
