import { setImmediate } from 'node:timers/promises';

/** Take about 5 ms. */
const requestsPerTurn = 8;

/**
 * Spreads requests that arrive together over several turns of the event loop, so that hundreds of them do not delay
 * the steps and the events of those that run.
 */
export class RequestTurns {
  #count = 0;
  #next: Promise<void> | undefined;

  /** Waits for a turn with room for another request. */
  async wait(): Promise<void> {
    while (this.#count >= requestsPerTurn) await this.#next;
    this.#count += 1;
    this.#next ??= this.#startNext();
  }

  async #startNext(): Promise<void> {
    await setImmediate();
    this.#count = 0;
    this.#next = undefined;
  }
}
