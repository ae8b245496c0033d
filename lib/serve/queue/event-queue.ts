import type { JobEvent } from './job.js';

/**
 * Events between one who makes them and one who reads them. A slow reader holds nothing up: of steps and
 * places in the queue it gets the newest.
 */
export class EventQueue implements AsyncIterable<JobEvent> {
  #pending: JobEvent[] = [];
  #ended: { error?: unknown } | undefined;
  #wake: () => void = () => {};

  push(event: JobEvent): void {
    if (this.#ended) return;
    if (passing(event) && this.#pending.at(-1)?.type === event.type) this.#pending.pop();
    this.#pending.push(event);
    this.#wake();
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** No more will come; with an error, the reader throws it. */
  end(outcome: { error?: unknown } = {}): void {
    this.#ended ??= outcome;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobEvent, void, void> {
    for (;;) {
      for (let event = this.#pending.shift(); event; event = this.#pending.shift()) yield event;
      if (this.#ended) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if ('error' in this.#ended) throw this.#ended.error;
  }
}

function passing({ type }: JobEvent): boolean {
  return type === 'queued' || type === 'step';
}
