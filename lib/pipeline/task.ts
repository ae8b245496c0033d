import { setMaxListeners } from 'node:events';
import type { KarloImage } from '../images/karlo-image.js';
import { STAGES, type StageName } from '../options/descriptions.js';
import { EventQueue } from '../util/event-queue.js';

export type { StageName };

/** The result of a call. */
export interface Generation {
  /** `count` images of the first prompt or input image, then of the second, and so on. */
  images: KarloImage[];
  /** The seed of each image. */
  seeds: number[];
  /** What the user should know, for example that the end of a prompt was left out. */
  warnings: string[];
  /** Seconds in each stage, and in total. */
  timings: Record<'encode' | StageName | 'total', number>;
}

/** Seconds that each stage took. */
export type StageSeconds = Record<StageName, number>;

export function zeroSeconds(): StageSeconds {
  return Object.fromEntries(STAGES.map((stage) => [stage, 0])) as StageSeconds;
}

/** Reports that a step was taken, or that an image is finished. */
export type GenerationEvent =
  | {
      type: 'step';
      stage: StageName;
      /** How many steps of this stage are done, over all batches of the call. */
      step: number;
      /** How many steps this stage takes, over all batches of the call. */
      steps: number;
      /**
       * The predicted x0 of each image in the current batch: at the small size in the decoder, at
       * the full size in super-resolution, absent in the prior.
       */
      previews?: { index: number; image: KarloImage }[] | undefined;
    }
  | { type: 'image'; index: number; image: KarloImage };

type Emit = (event: GenerationEvent) => void;

/**
 * A call in progress: a promise of its result, and an async iterable of its events. Work starts at
 * once. A slow iterator never delays it: pending step events are replaced by newer ones. Leaving an
 * iterator early (`break`) aborts the call. Several iterators share the events: each event goes to
 * one of them.
 */
export class GenerationTask implements Promise<Generation>, AsyncIterable<GenerationEvent> {
  readonly [Symbol.toStringTag] = 'GenerationTask';
  readonly #result: Promise<Generation>;
  readonly #controller = new AbortController();
  readonly #events = new EventQueue<GenerationEvent>(replaces);

  /** @param run does the work, reports its events to `emit` and ends when `signal` aborts */
  constructor(
    run: (emit: Emit, signal: AbortSignal) => Promise<Generation>,
    signal: AbortSignal | undefined,
  ) {
    const either = signal
      ? AbortSignal.any([signal, this.#controller.signal])
      : this.#controller.signal;
    // One listener per prompt or image: Node would warn of a leak after ten.
    setMaxListeners(0, either);
    // After an abort, a batch shared with other calls still reports its steps. The queue ignores them.
    this.#result = run((event) => this.#events.push(event), either).finally(() =>
      this.#events.end(),
    );
  }

  [Symbol.asyncIterator](): AsyncGenerator<GenerationEvent, void, void> {
    // The iterator throws the error; if nobody awaits the promise, it must not be unhandled as well.
    this.#result.catch(() => {});
    return this.#iterate();
  }

  async *#iterate(): AsyncGenerator<GenerationEvent, void, void> {
    let finished = false;
    try {
      yield* this.#events;
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

function replaces(event: GenerationEvent, previous: GenerationEvent): boolean {
  return event.type === 'step' && previous.type === 'step';
}
