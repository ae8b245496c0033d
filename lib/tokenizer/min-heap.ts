/** A binary heap of numbers. */
export class MinHeap {
  readonly #values: number[] = [];

  /** The smallest value, which stays in the heap; Infinity if the heap is empty. */
  get min(): number {
    return this.#values[0] ?? Number.POSITIVE_INFINITY;
  }

  push(value: number): void {
    const values = this.#values;
    let hole = values.length;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = values[parent] as number;
      if (above <= value) break;
      values[hole] = above;
      hole = parent;
    }
    values[hole] = value;
  }

  /** Removes the smallest value; Infinity if the heap is empty. */
  pop(): number {
    const min = this.min;
    const moved = this.#values.pop();
    if (moved !== undefined && this.#values.length > 0) this.#sink(moved);
    return min;
  }

  #sink(value: number): void {
    const values = this.#values;
    let hole = 0;
    while (true) {
      let child = 2 * hole + 1;
      if (child >= values.length) break;
      if (child + 1 < values.length && (values[child + 1] as number) < (values[child] as number))
        child++;
      const below = values[child] as number;
      if (below >= value) break;
      values[hole] = below;
      hole = child;
    }
    values[hole] = value;
  }
}
