/** A caller's share of a batch. */
export interface BatchRequest {
  /** Requests with the same key can share a batch. */
  readonly key: string;
  /** How many of the batch's places the request takes. */
  readonly size: number;
  /** How many places its batch has. */
  readonly capacity: number;
  /** Whether it completes work that has begun. A full batch of these runs before any other. */
  readonly completes: boolean;
  readonly signal: AbortSignal;
}

interface QueuedRequest<Request, Result> {
  readonly request: Request;
  resolve(result: Result): void;
  reject(reason: unknown): void;
  /** Called when the request aborts after its batch has started. */
  leaveBatch(): void;
}

interface NextBatch<Request, Result> {
  readonly batch: QueuedRequest<Request, Result>[];
  readonly room: number;
}

/**
 * Runs batches one at a time, in the order of their first request, but first full batches that complete
 * what has begun, so that no call is held up half-way. Requests that wait at the same time share a batch if
 * their keys are equal and they fit. A request whose signal aborts is rejected immediately; its batch
 * continues if it contains another request.
 */
export class BatchQueue<Request extends BatchRequest, Result> {
  readonly #runBatch: (requests: readonly Request[], signal: AbortSignal) => Promise<Result[]>;
  #queued: QueuedRequest<Request, Result>[] = [];
  #draining: Promise<void> | undefined;
  /** Work that ends with a request: a batch that is not full waits for it. */
  readonly #expected = new Set<Promise<unknown>>();

  /** @param runBatch runs one batch and returns one result per request */
  constructor(runBatch: (requests: readonly Request[], signal: AbortSignal) => Promise<Result[]>) {
    this.#runBatch = runBatch;
  }

  /** Announces work that will add a request and is short compared to a batch. */
  async expect<T>(work: Promise<T>): Promise<T> {
    this.#expected.add(work);
    try {
      return await work;
    } finally {
      // Deleted only after the caller, which awaits this, has added the request.
      setImmediate(() => this.#expected.delete(work));
    }
  }

  /** Queues a request. @returns its part of the batch's result */
  add(request: Request): Promise<Result> {
    const { signal } = request;
    return new Promise<Result>((resolve, reject) => {
      const abort = () => {
        this.#queued = this.#queued.filter((other) => other !== queued);
        queued.leaveBatch();
        reject(signal.reason);
      };
      const settle = (settled: () => void) => {
        signal.removeEventListener('abort', abort);
        settled();
      };
      const queued: QueuedRequest<Request, Result> = {
        request,
        resolve: (result) => settle(() => resolve(result)),
        reject: (reason) => settle(() => reject(reason)),
        leaveBatch: () => {},
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.#queued.push(queued);
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // Requests added in the same turn of the event loop may share the first batch.
    await new Promise(setImmediate);
    while (this.#queued.length > 0) {
      if (this.#nextBatch().room > 0) await Promise.allSettled(this.#expected);
      await new Promise(setImmediate);
      const { batch } = this.#nextBatch();
      this.#queued = this.#queued.filter((queued) => !batch.includes(queued));
      if (batch.length > 0) await this.#run(batch);
    }
    this.#draining = undefined;
  }

  /** The requests of the next batch, and how many of its places are left. */
  #nextBatch(): NextBatch<Request, Result> {
    const completing = this.#batchOf(this.#queued.find(({ request }) => request.completes));
    return completing.room === 0 ? completing : this.#batchOf(this.#queued[0]);
  }

  /** A request with those that fit into its batch. */
  #batchOf(first: QueuedRequest<Request, Result> | undefined): NextBatch<Request, Result> {
    if (first === undefined) return { batch: [], room: Number.POSITIVE_INFINITY };
    const { key, capacity } = first.request;
    let room = capacity;
    const batch = this.#queued.filter(({ request }) => {
      const fits = request.key === key && request.size <= room;
      if (fits) room -= request.size;
      return fits;
    });
    return { batch, room };
  }

  async #run(batch: readonly QueuedRequest<Request, Result>[]): Promise<void> {
    const controller = new AbortController();
    let served = batch.length;
    for (const queued of batch) {
      queued.leaveBatch = () => {
        served -= 1;
        if (served === 0) controller.abort(queued.request.signal.reason);
      };
    }
    try {
      const requests = batch.map(({ request }) => request);
      const results = await this.#runBatch(requests, controller.signal);
      for (const [i, queued] of batch.entries()) queued.resolve(results[i] as Result);
    } catch (error) {
      for (const queued of batch) queued.reject(error);
    }
  }
}
