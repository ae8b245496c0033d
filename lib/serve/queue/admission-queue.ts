import { queueFull } from '../errors.js';

interface Entry {
  readonly lowPriority: boolean;
  readonly onMove: (position: number) => void;
  readonly admit: () => void;
}

export interface QueueLimits {
  /** Jobs that run at once. */
  concurrency: number;
  /** Jobs that may wait. */
  capacity: number;
}

/** Lets a few jobs run at once and a bounded number wait, normal priority before low, each in order. */
export class AdmissionQueue {
  readonly #limits: QueueLimits;
  #waiting: Entry[] = [];
  #running = 0;
  /** Moving average of the seconds that a job runs. */
  #averageSeconds = 1;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get load() {
    return { waiting: this.#waiting.length, running: this.#running };
  }

  /**
   * @param arriving jobs that are about to enter
   * @throws {ApiError} 429 if the queue is full
   */
  check(arriving = 0): void {
    const { concurrency, capacity } = this.#limits;
    const jobs = this.#running + this.#waiting.length + arriving;
    if (jobs >= concurrency + capacity) throw queueFull(this.#retryAfter());
  }

  /**
   * Joins the queue.
   * @param onMove called with each new position in the queue; 1 is next
   * @returns a promise that resolves when the job may run, to a function to call when it has ended;
   *   rejects when the signal aborts
   * @throws {ApiError} 429 if the queue is full
   */
  enter(
    { lowPriority, signal }: { lowPriority: boolean; signal: AbortSignal },
    onMove: (position: number) => void,
  ): Promise<() => void> {
    this.check();
    if (this.#running < this.#limits.concurrency) return Promise.resolve(this.#start());
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        this.#reportPositions();
        reject(signal.reason);
      };
      const admit = () => {
        signal.removeEventListener('abort', leave);
        resolve(this.#start());
      };
      const entry: Entry = { lowPriority, onMove, admit };
      signal.addEventListener('abort', leave, { once: true });
      this.#insert(entry);
    });
  }

  #insert(entry: Entry): void {
    const firstLow = this.#waiting.findIndex(({ lowPriority }) => lowPriority);
    const at = entry.lowPriority || firstLow < 0 ? this.#waiting.length : firstLow;
    this.#waiting.splice(at, 0, entry);
    this.#reportPositions();
  }

  #start(): () => void {
    this.#running += 1;
    const start = performance.now();
    return () => {
      this.#running -= 1;
      this.#averageSeconds += ((performance.now() - start) / 1000 - this.#averageSeconds) / 8;
      this.#waiting.shift()?.admit();
      this.#reportPositions();
    };
  }

  #reportPositions(): void {
    for (const [i, { onMove }] of this.#waiting.entries()) onMove(i + 1);
  }

  /** Seconds until the first waiting job is likely to have started. */
  #retryAfter(): number {
    return Math.min(60, Math.max(1, Math.ceil(this.#averageSeconds / this.#limits.concurrency)));
  }
}
