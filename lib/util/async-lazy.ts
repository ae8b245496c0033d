/** What is computed when it is first asked for, and then kept; what failed is tried again. */
export class Once<T> {
  #value: Promise<T> | undefined;

  /** What was computed, or is being computed, if it is. */
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
