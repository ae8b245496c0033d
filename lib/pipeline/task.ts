import { setMaxListeners } from 'node:events';
import type { KarloImage } from '../images/karlo-image.js';

/** A finished run. */
export interface Generation {
  /** Prompt by prompt, `count` each. */
  images: KarloImage[];
  /** The seed of each picture. */
  seeds: number[];
  /** What the user should know: text that was cut off, for example. */
  warnings: string[];
  /** Seconds in each stage, and in all. */
  timings: { encode: number; prior: number; decoder: number; upsample: number; total: number };
}

/** The stages that take steps, in their order. */
export type StageName = 'prior' | 'decoder' | 'upsample';

/** What happens in a run: a step was taken, or a picture is finished. */
export type GenerationEvent =
  | {
      type: 'step';
      stage: StageName;
      /** Steps of this stage that are done, and that there are, over all batches. */
      step: number;
      steps: number;
      /** The predicted x0 of the batch at work: small in the decoder, full size in upsampling. */
      previews?: { index: number; image: KarloImage }[];
    }
  | { type: 'image'; index: number; image: KarloImage };

type Emit = (event: GenerationEvent) => void;

/**
 * One run, both as a promise of its result and as a stream of its events. Work starts at once. A slow
 * reader never holds it up: of step events it gets the newest. A reader that leaves aborts the run.
 * Several readers share the events: each goes to one of them.
 */
export class GenerationTask implements Promise<Generation>, AsyncIterable<GenerationEvent> {
  readonly [Symbol.toStringTag] = 'GenerationTask';
  readonly #result: Promise<Generation>;
  readonly #controller = new AbortController();
  #pending: GenerationEvent[] = [];
  #ended = false;
  /** Readers that wait for the next event, or the end. */
  #readers: (() => void)[] = [];

  /** @param run is given where its events go, and the signal that ends it */
  constructor(
    run: (emit: Emit, signal: AbortSignal) => Promise<Generation>,
    signal: AbortSignal | undefined,
  ) {
    const either = signal
      ? AbortSignal.any([signal, this.#controller.signal])
      : this.#controller.signal;
    // As many as there are prompts or pictures: Node would take more than ten for a leak.
    setMaxListeners(0, either);
    this.#result = run((event) => this.#emit(event), either).finally(() => {
      this.#ended = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const wake of this.#readers.splice(0)) wake();
  }

  #emit(event: GenerationEvent): void {
    // A batch that others are in goes on after an abort.
    if (this.#ended) return;
    const last = this.#pending.at(-1);
    if (event.type === 'step' && last?.type === 'step') this.#pending.pop();
    this.#pending.push(event);
    this.#wake();
  }

  [Symbol.asyncIterator](): AsyncGenerator<GenerationEvent, void, void> {
    // A task that is only iterated throws there: the promise then has nobody to reject to.
    this.#result.catch(() => {});
    return this.#events();
  }

  async *#events(): AsyncGenerator<GenerationEvent, void, void> {
    let finished = false;
    try {
      for (;;) {
        for (let event = this.#pending.shift(); event; event = this.#pending.shift()) yield event;
        if (this.#ended) break;
        await new Promise<void>((resolve) => this.#readers.push(resolve));
      }
      finished = true;
      await this.#result;
    } finally {
      if (!finished) this.#controller.abort();
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: a task is a promise
  then<A = Generation, B = never>(
    fulfilled?: ((value: Generation) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null) {
    return this.#result.catch(rejected);
  }

  finally(settled?: (() => void) | null): Promise<Generation> {
    return this.#result.finally(settled);
  }
}
