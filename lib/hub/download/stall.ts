import { TransientError } from './failure.js';

/** An abort signal that follows the caller's signal and also aborts when no data arrives in time. */
export class StallTimeout {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number, signal: AbortSignal) {
    const stalled = new AbortController();
    const reason = new TransientError(`no data received for ${milliseconds / 1000} seconds`);
    this.#timer = setTimeout(() => stalled.abort(reason), milliseconds);
    this.signal = AbortSignal.any([signal, stalled.signal]);
  }

  /** Call when data arrives. */
  reset(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
