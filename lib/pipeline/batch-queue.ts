/** What one caller wants to have in a batch. */
export interface Portion {
  /** Portions of one key can share a batch. */
  readonly key: string;
  /** Places that it takes. */
  readonly size: number;
  /** Places that its batch has. */
  readonly capacity: number;
  readonly signal: AbortSignal;
}

interface Waiting<P, R> {
  readonly portion: P;
  resolve(result: R): void;
  reject(reason: unknown): void;
  /** Ends the batch that it is in, where nobody else is. */
  leave: () => void;
}

/**
 * Runs batches one at a time, in the order of their first portion. Portions that wait together share a
 * batch where their keys agree and they fit. A portion whose signal aborts leaves at once; the batch
 * runs on while another one is in it.
 */
export class BatchQueue<P extends Portion, R> {
  readonly #run: (portions: readonly P[], signal: AbortSignal) => Promise<R[]>;
  #waiting: Waiting<P, R>[] = [];
  #running: Promise<void> | undefined;
  /** Work that will soon add portions: a batch that is not full waits for it. */
  readonly #coming = new Set<Promise<unknown>>();

  /** @param run makes one batch: a result for each portion */
  constructor(run: (portions: readonly P[], signal: AbortSignal) => Promise<R[]>) {
    this.#run = run;
  }

  /** Tells of work, short beside a batch, that ends with a portion. */
  async expect<T>(work: Promise<T>): Promise<T> {
    this.#coming.add(work);
    try {
      return await work;
    } finally {
      // After whoever awaits this has added his portion.
      setImmediate(() => this.#coming.delete(work));
    }
  }

  /** @returns its part of the batch's result */
  add(portion: P): Promise<R> {
    const { signal } = portion;
    return new Promise<R>((resolve, reject) => {
      const waiting: Waiting<P, R> = { portion, resolve, reject, leave: () => {} };
      const abort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        waiting.leave();
        reject(signal.reason);
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      const settle = (then: () => void) => {
        signal.removeEventListener('abort', abort);
        then();
      };
      waiting.resolve = (result) => settle(() => resolve(result));
      waiting.reject = (reason) => settle(() => reject(reason));
      this.#waiting.push(waiting);
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Not at once: who is called in the same turn may share the batch.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      if (this.#next().room > 0) await Promise.allSettled(this.#coming);
      await new Promise(setImmediate);
      const { batch } = this.#next();
      this.#waiting = this.#waiting.filter((waiting) => !batch.includes(waiting));
      if (batch.length > 0) await this.#runBatch(batch);
    }
    this.#running = undefined;
  }

  /** The first portion, what fits beside it, and the places that are left. */
  #next(): { batch: Waiting<P, R>[]; room: number } {
    const [first] = this.#waiting;
    if (first === undefined) return { batch: [], room: 0 };
    const { key, capacity } = first.portion;
    let room = capacity;
    const batch = this.#waiting.filter(({ portion }) => {
      const fits = portion.key === key && portion.size <= room;
      if (fits) room -= portion.size;
      return fits;
    });
    return { batch, room };
  }

  async #runBatch(batch: readonly Waiting<P, R>[]): Promise<void> {
    const controller = new AbortController();
    let present = batch.length;
    for (const waiting of batch) {
      waiting.leave = () => {
        present -= 1;
        if (present === 0) controller.abort(waiting.portion.signal.reason);
      };
    }
    try {
      const portions = batch.map(({ portion }) => portion);
      const results = await this.#run(portions, controller.signal);
      for (const [i, waiting] of batch.entries()) waiting.resolve(results[i] as R);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
