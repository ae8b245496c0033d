/**
 * Events on their way to a reader, in order. A slow reader does not delay the sender: events that are
 * still pending can be replaced by newer ones. Several readers share the events: each goes to one of them.
 */
export class EventQueue<Event extends object> implements AsyncIterable<Event> {
  readonly #replaces: (event: Event, previous: Event) => boolean;
  #pending: Event[] = [];
  #outcome: { error?: unknown } | undefined;
  /** Wakes the readers that wait for the next event or the end. */
  #waiting: (() => void)[] = [];

  /** @param replaces whether an event replaces the pending one before it */
  constructor(replaces: (event: Event, previous: Event) => boolean) {
    this.#replaces = replaces;
  }

  /** Has no effect after the end. */
  push(event: Event): void {
    if (this.#outcome) return;
    const previous = this.#pending.at(-1);
    if (previous && this.#replaces(event, previous)) this.#pending.pop();
    this.#pending.push(event);
    this.#wake();
  }

  get ended(): boolean {
    return this.#outcome !== undefined;
  }

  /** Ends the events. With an error, the readers throw it. Only the first call counts. */
  end(outcome: { error?: unknown } = {}): void {
    this.#outcome ??= outcome;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, void> {
    for (;;) {
      for (let event = this.#pending.shift(); event; event = this.#pending.shift()) yield event;
      if (this.#outcome) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if ('error' in this.#outcome) throw this.#outcome.error;
  }
}
