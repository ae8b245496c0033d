import { DecodingProcess } from './process.js';

/** Several, so that an image that takes long does not delay the next one. */
const maxProcesses = 4;
/** Milliseconds after which an unused process ends. Starting one takes about 0.1 s, and it has about 80 MB. */
const idleTime = 10_000;

/** Starts decoding processes when they are needed, and keeps them for a while. */
export class DecodingPool {
  /** Unused processes, with the timers that end them. */
  readonly #idle = new Map<DecodingProcess, NodeJS.Timeout>();
  readonly #waiting = new Set<() => void>();
  #used = 0;

  /**
   * Waits for a process, and lends it. Aborting the signal ends the wait.
   * @param work runs again in a new process if the unused one has ended, as when the system runs out of memory
   */
  async use<T>(signal: AbortSignal, work: (child: DecodingProcess) => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      const unused = this.#takeUnused();
      if (unused === undefined) return await this.#lend(new DecodingProcess(), work);
      return await this.#lend(unused, work).catch((error) => {
        if (!unused.hasCrashed) throw error;
        return this.#lend(new DecodingProcess(), work);
      });
    } finally {
      this.#leave();
    }
  }

  #lend<T>(child: DecodingProcess, work: (child: DecodingProcess) => Promise<T>): Promise<T> {
    return work(child).finally(() => this.#keep(child));
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (this.#used < maxProcesses) {
      this.#used += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(admit);
        reject(signal.reason);
      };
      const admit = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(admit);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Passes the place on to the first that waits. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#used -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** The process that was used last, so that the others can end. */
  #takeUnused(): DecodingProcess | undefined {
    const child = [...this.#idle.keys()].filter(({ isAlive }) => isAlive).at(-1);
    if (child === undefined) return undefined;
    clearTimeout(this.#idle.get(child));
    this.#idle.delete(child);
    return child;
  }

  #keep(child: DecodingProcess): void {
    if (!child.isAlive) return;
    const timer = setTimeout(() => {
      this.#idle.delete(child);
      child.end();
    }, idleTime);
    this.#idle.set(child, timer.unref());
  }
}
