/** Number of elements of a shape, 1 for `[]`; undefined if it is not a safe integer. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    // The other sizes of an empty tensor must be valid, too.
    count *= Math.max(size, 1);
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return shape.includes(0) ? 0 : count;
}

/** Row-major strides in elements, as those of a new PyTorch tensor. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    strides[dim] = step;
    step *= Math.max(shape[dim] as number, 1);
  }
  return strides;
}

/** Number of elements from a view's first to its last; undefined if it is not a safe integer. */
export function viewExtent(
  shape: readonly number[],
  strides: readonly number[],
): number | undefined {
  if (shape.includes(0)) return 0;
  let extent = 1;
  for (const [dim, size] of shape.entries()) {
    extent += (size - 1) * (strides[dim] as number);
    if (!Number.isSafeInteger(extent)) return undefined;
  }
  return extent;
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, dim) => size === b[dim]);
}
