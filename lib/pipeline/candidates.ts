import type { Vector } from '../embeddings/sphere.js';
import type { Selection } from '../images/recipe.js';
import { type Tensor, tidy } from '../torch/tensor.js';

/** The index of the highest score; of equal ones, the first. */
export function best(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

/** The float32 rows of a matrix, `[rows, E]`. */
export function rowsOf(matrix: Tensor): Float32Array[] {
  const [count = 0, width = 0] = matrix.shape;
  using values = tidy(() => matrix.to({ dtype: 'float32', device: 'cpu' }));
  const all = values.toTypedArray();
  return Array.from({ length: count }, (_, i) => all.slice(i * width, (i + 1) * width));
}

/** The float32 values of a matrix of one row, `[1, E]`. */
export function rowOf(matrix: Tensor): Vector {
  return rowsOf(matrix)[0] as Vector;
}

/** The dot product as a score. */
export function dotScore(a: Float32Array, b: Float32Array): number {
  return rounded(dot(a, b));
}

/** The cosine as a score. */
export function cosineScore(a: Float32Array, b: Float32Array): number {
  return rounded(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Kernels differ by more than the sixth decimal. An embedding that overflowed scores 0. */
function rounded(score: number): number {
  return Number.isFinite(score) ? Math.round(score * 1e6) / 1e6 : 0;
}

/** How an image was chosen; undefined if it had no candidates. */
export function selectionOf(
  seed: number,
  scores: number[],
  priorScores: number[],
): Selection | undefined {
  if (scores.length <= 1 && priorScores.length <= 1) return undefined;
  return {
    seed,
    ...(scores.length > 1 && { scores }),
    ...(priorScores.length > 1 && { priorScores }),
  };
}
