/** A value computed on first use and then kept. After a failure, the next use computes it again. */
export class AsyncLazy<T> {
  #value: Promise<T> | undefined;

  /** The value; undefined if it has not been requested. */
  get value(): Promise<T> | undefined {
    return this.#value;
  }

  get(compute: () => Promise<T>): Promise<T> {
    this.#value ??= compute().catch((error) => {
      this.#value = undefined;
      throw error;
    });
    return this.#value;
  }
}
