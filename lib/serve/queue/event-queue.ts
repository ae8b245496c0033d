import type { JobEvent } from './job.js';

/**
 * Events on their way from a job to its reader. A slow reader does not delay the job: of consecutive
 * `step` or `queued` events, it receives the newest.
 */
export class EventQueue implements AsyncIterable<JobEvent> {
  #pending: JobEvent[] = [];
  #outcome: { error?: unknown } | undefined;
  #wake: () => void = () => {};

  push(event: JobEvent): void {
    if (this.#outcome) return;
    if (isReplaceable(event) && this.#pending.at(-1)?.type === event.type) this.#pending.pop();
    this.#pending.push(event);
    this.#wake();
  }

  get ended(): boolean {
    return this.#outcome !== undefined;
  }

  /** Ends the events. With an error, the reader throws it. Only the first call counts. */
  end(outcome: { error?: unknown } = {}): void {
    this.#outcome ??= outcome;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobEvent, void, void> {
    for (;;) {
      for (let event = this.#pending.shift(); event; event = this.#pending.shift()) yield event;
      if (this.#outcome) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if ('error' in this.#outcome) throw this.#outcome.error;
  }
}

function isReplaceable({ type }: JobEvent): boolean {
  return type === 'queued' || type === 'step';
}
