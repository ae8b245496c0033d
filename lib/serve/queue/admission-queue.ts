import { busy } from '../protocol/api-error.js';

interface Place {
  readonly low: boolean;
  readonly onMove: (position: number) => void;
  readonly admit: () => void;
}

/** Lets a few in at once, and a bounded number wait: normal ones before low ones, each in order. */
export class Gate {
  readonly #concurrency: number;
  readonly #capacity: number;
  #waiting: Place[] = [];
  #running = 0;
  /** Seconds that one inside takes, averaged over the last ones. */
  #seconds = 1;

  constructor(limits: { concurrency: number; capacity: number }) {
    this.#concurrency = limits.concurrency;
    this.#capacity = limits.capacity;
  }

  get load() {
    return { waiting: this.#waiting.length, running: this.#running };
  }

  /** @throws {ApiError} 429 when no place is free */
  check(): void {
    const full = this.#running >= this.#concurrency && this.#waiting.length >= this.#capacity;
    if (full) throw busy(this.#retryAfter());
  }

  /**
   * Takes a place, at once.
   * @param onMove is told the place in the queue, 1 being next
   * @returns a promise of the turn: call what it gives on leaving. Rejects when the signal aborts.
   * @throws {ApiError} 429 when no place is free
   */
  enter(
    { low, signal }: { low: boolean; signal: AbortSignal },
    onMove: (position: number) => void,
  ): Promise<() => void> {
    this.check();
    if (this.#running < this.#concurrency) return Promise.resolve(this.#start());
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((other) => other !== place);
        this.#tellPlaces();
        reject(signal.reason);
      };
      const admit = () => {
        signal.removeEventListener('abort', leave);
        resolve(this.#start());
      };
      const place: Place = { low, onMove, admit };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue(place);
    });
  }

  #queue(place: Place): void {
    const firstLow = this.#waiting.findIndex(({ low }) => low);
    const at = place.low || firstLow < 0 ? this.#waiting.length : firstLow;
    this.#waiting.splice(at, 0, place);
    this.#tellPlaces();
  }

  #start(): () => void {
    this.#running += 1;
    const start = performance.now();
    return () => {
      this.#running -= 1;
      this.#seconds += ((performance.now() - start) / 1000 - this.#seconds) / 8;
      this.#waiting.shift()?.admit();
      this.#tellPlaces();
    };
  }

  #tellPlaces(): void {
    for (const [i, { onMove }] of this.#waiting.entries()) onMove(i + 1);
  }

  /** When the one in front may have gone in. */
  #retryAfter(): number {
    return Math.min(60, Math.max(1, Math.ceil(this.#seconds / this.#concurrency)));
  }
}
