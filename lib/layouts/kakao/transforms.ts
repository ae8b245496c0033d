import type { Step } from '../../networks/weights.js';

/** How a canonical tensor lies in its source; both sides follow from the canonical shape. */
export interface Transform {
  /** Shape that the source must have. */
  source(shape: readonly number[]): number[];
  steps(shape: readonly number[]): Step[];
}

/** Head size of every attention layer of the Kakao layout. */
export const KAKAO_HEAD = 64;

/** The source is the tensor. */
export const same: Transform = { source: (shape) => [...shape], steps: () => [] };

/** A linear layer's weight, kept as a convolution's of width 1: `[out, in, 1]`. */
export const pointwise: Transform = {
  source: trailingOne,
  steps: (shape) => (shape.length === 1 ? [] : [{ op: 'reshape', shape }]),
};

/** `[columns, rows]` for `[rows, columns]`. */
export const transposed: Transform = {
  source: (shape) => [...shape].reverse(),
  steps: () => [{ op: 'transpose', dim0: 0, dim1: 1 }],
};

/** `[width]` for `[1, width]`. */
export const row: Transform = {
  source: (shape) => shape.slice(1),
  steps: (shape) => [{ op: 'reshape', shape }],
};

/** Part `index` of `of` matrices stacked one below the other. */
export function stacked(index: number, of: number): Transform {
  return {
    source: ([rows = 0, ...rest]) => [of * rows, ...rest],
    steps: ([rows = 0]) => [{ op: 'slice', dim: 0, start: index * rows, end: (index + 1) * rows }],
  };
}

/** Part `index` of `of` matrices whose rows alternate head by head: q, k, v of head 0, of head 1. */
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

/** `interleaved` in a convolution of width 1. */
export function interleavedPointwise(index: number, of: number): Transform {
  const inner = interleaved(index, of);
  return { source: (shape) => trailingOne(inner.source(shape)), steps: inner.steps };
}

/** Weights get a last size of 1, biases stay. */
function trailingOne(shape: readonly number[]): number[] {
  return shape.length === 1 ? [...shape] : [...shape, 1];
}
