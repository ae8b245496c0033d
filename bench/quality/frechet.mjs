/** @typedef {readonly Float64Array[]} Matrix its rows */

/**
 * The Fréchet distance between the Gaussians of two sets of vectors (Heusel et al. 2017, eq. 6):
 * |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).
 * @param {readonly Float32Array[]} a
 * @param {readonly Float32Array[]} b
 */
export function frechetDistance(a, b) {
  const [first, second] = [gaussianOf(a), gaussianOf(b)];
  const gap = first.mean.reduce((sum, m, i) => sum + (m - Number(second.mean[i])) ** 2, 0);
  const root = squareRoot(first.covariance);
  const inner = product(product(root, second.covariance), root);
  const { values } = eigen(inner);
  const overlap = values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  return gap + trace(first.covariance) + trace(second.covariance) - 2 * overlap;
}

/** @param {readonly Float32Array[]} vectors */
function gaussianOf(vectors) {
  const size = Number(vectors[0]?.length);
  const mean = new Float64Array(size);
  for (const vector of vectors)
    for (const [i, x] of vector.entries()) mean[i] = Number(mean[i]) + x;
  const centre = mean.map((sum) => sum / vectors.length);
  const covariance = Array.from({ length: size }, () => new Float64Array(size));
  for (const vector of vectors) {
    const offset = centre.map((m, i) => Number(vector[i]) - m);
    for (const [i, row] of covariance.entries()) {
      for (const [j, o] of offset.entries()) row[j] = Number(row[j]) + Number(offset[i]) * o;
    }
  }
  const scale = 1 / Math.max(1, vectors.length - 1);
  return { mean: centre, covariance: covariance.map((row) => row.map((x) => x * scale)) };
}

/** @param {Matrix} matrix */
function trace(matrix) {
  return matrix.reduce((sum, row, i) => sum + Number(row[i]), 0);
}

/**
 * @param {Matrix} a
 * @param {Matrix} b
 * @returns {Matrix}
 */
function product(a, b) {
  return a.map((row) => {
    const sums = new Float64Array(row.length);
    for (const [k, x] of row.entries()) {
      for (const [j, y] of /** @type {Float64Array} */ (b[k]).entries())
        sums[j] = Number(sums[j]) + x * y;
    }
    return sums;
  });
}

/** The root of a symmetric matrix without negative eigenvalues. @param {Matrix} matrix */
function squareRoot(matrix) {
  const { values, vectors } = eigen(matrix);
  const scaled = vectors.map((row) =>
    row.map((x, j) => x * Math.sqrt(Math.max(0, Number(values[j])))),
  );
  return product(scaled, transpose(vectors));
}

/** @param {Matrix} matrix @returns {Matrix} */
function transpose(matrix) {
  return matrix.map((_, j) => Float64Array.from(matrix, (row) => Number(row[j])));
}

/**
 * Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's method (Golub & Van Loan,
 * algorithm 8.5.3).
 * @param {Matrix} matrix
 * @returns {{ values: number[], vectors: Matrix }}
 */
function eigen(matrix) {
  const size = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = matrix.map((_, i) => Float64Array.from({ length: size }, (__, j) => Number(i === j)));
  const limit = 1e-22 * a.reduce((sum, row) => sum + row.reduce((s, x) => s + x * x, 0), 0);
  while (offDiagonal(a) > limit) {
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, v, p, q);
  }
  return { values: a.map((row, i) => Number(row[i])), vectors: v };
}

/** @param {Matrix} a */
function offDiagonal(a) {
  return a.reduce((sum, row, i) => sum + row.reduce((s, x, j) => (i === j ? s : s + x * x), 0), 0);
}

/**
 * Makes a[p][q] 0, and turns the eigenvectors with it.
 * @param {Float64Array[]} a
 * @param {Float64Array[]} v
 * @param {number} p
 * @param {number} q
 */
function rotate(a, v, p, q) {
  const [rowP, rowQ] = /** @type {[Float64Array, Float64Array]} */ ([a[p], a[q]]);
  const pivot = Number(rowP[q]);
  if (pivot === 0) return;
  const theta = (Number(rowQ[q]) - Number(rowP[p])) / (2 * pivot);
  const t = (Math.sign(theta) || 1) / (Math.abs(theta) + Math.sqrt(theta ** 2 + 1));
  const c = 1 / Math.sqrt(t ** 2 + 1);
  const s = t * c;
  for (const row of [...a, ...v]) {
    const [x, y] = [Number(row[p]), Number(row[q])];
    [row[p], row[q]] = [c * x - s * y, s * x + c * y];
  }
  for (let j = 0; j < rowP.length; j++) {
    const [x, y] = [Number(rowP[j]), Number(rowQ[j])];
    [rowP[j], rowQ[j]] = [c * x - s * y, s * x + c * y];
  }
}
