// CLIP compares embeddings by their angle, so they are points on a sphere: means and interpolations follow its
// great circles, and lengths are interpolated on their own. Everything is computed in float64.

/** An embedding's values, or noise. */
export type Vector = Float32Array<ArrayBuffer>;

/** Below this angle, in radians, a great circle is a straight line to the precision of float32. */
const smallAngle = 1e-6;
const maxIterations = 1000;
/** Length of the last step of the iteration, in radians, at which a mean is found. */
const tolerance = 1e-12;

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/** The cosine of the angle between two vectors; 0 if one of them is zero. */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const lengths = norm(a) * norm(b);
  return lengths === 0 ? 0 : Math.max(-1, Math.min(1, dot(a, b) / lengths));
}

/**
 * Spherical linear interpolation (Shoemake 1985) of the directions, and linear interpolation of the lengths.
 *
 * Between opposite directions, every great circle is a shortest one: the chosen one leaves `a` towards the
 * coordinate axis that is closest to a right angle with it, the first of several.
 * @param t 0 is exactly `a`, 1 is exactly `b`; other values continue on the same great circle
 */
export function slerp(a: Vector, b: Vector, t: number): Vector {
  if (t === 0) return a.slice();
  if (t === 1) return b.slice();
  const length = (1 - t) * norm(a) + t * norm(b);
  const start = normalized(a);
  return scaled(follow(start, logarithm(start, normalized(b)), t), length);
}

/** The plain weighted mean. Weights need not add up to 1. */
export function linearMean(vectors: readonly Vector[], weights: readonly number[]): Vector {
  return scaled(weightedSum(vectors, shares(weights)), 1);
}

/**
 * The weighted mean on the sphere (Karcher 1977), found by gradient descent, with the weighted mean of the
 * lengths. Of two vectors, it is `slerp`.
 * @param weights not 0 in sum; negative ones move the mean away
 */
export function sphericalMean(vectors: readonly Vector[], weights: readonly number[]): Vector {
  const parts = shares(weights);
  const [a, b] = vectors as [Vector, Vector];
  if (vectors.length === 1) return a.slice();
  if (vectors.length === 2) return slerp(a, b, parts[1] as number);
  const directions = vectors.map(normalized);
  // Negative weights make the descent overshoot.
  const rate = 1 / parts.reduce((sum, part) => sum + Math.abs(part), 0);
  let mean = startOf(directions, parts);
  for (let i = 0; i < maxIterations; i++) {
    const step = weightedSum(
      directions.map((direction) => logarithm(mean, direction)),
      parts,
    );
    mean = follow(mean, step, rate);
    if (norm(step) < tolerance) break;
  }
  return scaled(mean, meanLength(vectors, weights));
}

/** The weighted mean of the lengths. */
export function meanLength(vectors: readonly Vector[], weights: readonly number[]): number {
  return dot(vectors.map(norm), shares(weights));
}

/** The normalised vector; zero stays zero. */
export function normalized(a: ArrayLike<number>): Float64Array {
  const length = norm(a) || 1;
  return Float64Array.from(a, (value) => value / length);
}

/** The values of a vector, times a factor, as float32. */
export function scaled(a: ArrayLike<number>, factor: number): Vector {
  return Float32Array.from(a, (value) => value * factor);
}

function shares(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function weightedSum(vectors: readonly ArrayLike<number>[], weights: readonly number[]) {
  const sum = new Float64Array((vectors[0] as ArrayLike<number>).length);
  for (const [i, vector] of vectors.entries()) {
    for (let j = 0; j < sum.length; j++) {
      sum[j] = (sum[j] as number) + (weights[i] as number) * (vector[j] as number);
    }
  }
  return sum;
}

/** The normalised linear mean or, where directions cancel each other out, the heaviest direction. */
function startOf(directions: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const mean = weightedSum(directions, weights);
  if (norm(mean) > smallAngle) return normalized(mean);
  return directions[weights.indexOf(Math.max(...weights))] as Float64Array;
}

/** The tangent at `from` that leads to `to`, as long as the angle between them. Both are unit vectors. */
function logarithm(from: Float64Array, to: Float64Array): Float64Array {
  const [difference, sum] = [
    to.map((value, i) => value - (from[i] as number)),
    to.map((value, i) => value + (from[i] as number)),
  ];
  // Exact for small angles, unlike the arc cosine.
  const angle = 2 * Math.atan2(norm(difference), norm(sum));
  const target = Math.PI - angle < smallAngle ? farthestAxis(from) : to;
  const along = dot(target, from);
  const tangent = target.map((value, i) => value - along * (from[i] as number));
  const length = norm(tangent);
  if (length === 0) return tangent;
  return tangent.map((value) => (value * angle) / length);
}

/** The point at part t of a tangent's way, from a unit vector. */
function follow(from: Float64Array, tangent: Float64Array, t: number): Float64Array {
  const angle = norm(tangent);
  if (angle === 0) return from;
  const [cos, sin] = [Math.cos(t * angle), Math.sin(t * angle) / angle];
  return normalized(from.map((value, i) => cos * value + sin * (tangent[i] as number)));
}

/** The coordinate axis that is closest to a right angle with a vector. */
function farthestAxis(vector: Float64Array): Float64Array {
  const sizes = vector.map(Math.abs);
  const axis = new Float64Array(vector.length);
  axis[sizes.indexOf(Math.min(...sizes))] = 1;
  return axis;
}
