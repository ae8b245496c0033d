import type { Generation, StageName } from './task.js';

/** Measures the seconds in each stage of a run. */
export class Clock {
  readonly #start = performance.now();
  #last = this.#start;
  readonly #seconds = { encode: 0, prior: 0, decoder: 0, upsample: 0 };

  /** Ascribes the time since the last call to a stage. */
  lap(stage: 'encode' | StageName): void {
    const now = performance.now();
    this.#seconds[stage] += (now - this.#last) / 1000;
    this.#last = now;
  }

  timings(): Generation['timings'] {
    return { ...this.#seconds, total: (performance.now() - this.#start) / 1000 };
  }
}
