import { Passing } from './failure.js';

/** A signal that is aborted when the caller's is, and when nothing has come for a while. */
export class Stall {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number, signal: AbortSignal) {
    const stalled = new AbortController();
    const reason = new Passing(`nothing has come for ${milliseconds / 1000} seconds`);
    this.#timer = setTimeout(() => stalled.abort(reason), milliseconds);
    this.signal = AbortSignal.any([signal, stalled.signal]);
  }

  /** Something has come. */
  reset(): void {
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
