/** Product of `shape`, or undefined where it is no safe integer. `[]` has one element. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    // A zero makes the tensor empty, but its other sizes must still have possible strides.
    count *= Math.max(size, 1);
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return shape.includes(0) ? 0 : count;
}

/** Row-major strides in elements, as PyTorch gives a fresh tensor. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    strides[dim] = step;
    step *= Math.max(shape[dim] as number, 1);
  }
  return strides;
}

/** Elements from the first to just past the last one that a view reaches, or undefined if unsafe. */
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
