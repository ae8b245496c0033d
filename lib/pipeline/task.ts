import { setMaxListeners } from 'node:events';
import type { KarloDraft } from '../images/draft.js';
import type { KarloImage } from '../images/karlo-image.js';
import type { Selection } from '../images/recipe.js';
import type { Verdict } from '../images/verdict.js';
import { STAGES, type StageName } from '../options/descriptions.js';
import { EventQueue } from '../util/event-queue.js';

export type { StageName };

/** The result of a call. */
export interface Generation {
  /** `count` images of the first prompt or input image, then of the second, and so on. */
  images: KarloImage[];
  /** With `stopAfter: 'decoder'`, the drafts instead of the images. */
  drafts: KarloDraft[];
  /** The seed of each image or draft: of candidates, the seed of the chosen one. */
  seeds: number[];
  /** How each image or draft was chosen; empty without candidates. */
  selections: Selection[];
  /** The verdict on each image or draft; empty without a safety check. */
  verdicts: Verdict[];
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

/** How far a call is. */
export interface Progress {
  /** How many steps of the stage are done, over all batches of the call. */
  step: number;
  /** How many steps the stage takes, over all batches of the call. */
  steps: number;
  /** The part of the call's work that is done, 0 to 1. */
  fraction: number;
  /** The expected seconds until the call ends. Absent while the speed is unknown. */
  secondsLeft?: number | undefined;
}

/** The batch that a step belongs to. */
export interface CurrentBatch {
  /** The index in the result of each of its images or drafts. */
  images: number[];
  /** Which candidate each of them is, from 0. */
  candidates: number[];
  /** How many steps of the stage are done in this batch. */
  step: number;
  /** How many steps the stage takes in this batch. */
  steps: number;
}

/** A step was taken. */
export interface StepEvent extends Progress {
  /** Distinguishes the events. */
  type: 'step';
  /** The stage that took the step. */
  stage: StageName;
  /** The batch that the step belongs to. */
  batch: CurrentBatch;
  /**
   * The predicted x0 of each image in the current batch: at the small size in the decoder, at
   * the full size in super-resolution, absent in the prior.
   */
  previews?: { index: number; image: KarloImage }[] | undefined;
}

/** An image, or with `stopAfter` a draft, is finished. */
export interface ImageEvent {
  /** Distinguishes the events. */
  type: 'image';
  /** The index of the image in the result. */
  index: number;
  /** The image or, with `stopAfter`, the draft. */
  image: KarloImage;
}

/** Reports that a step was taken, or that an image is finished. */
export type GenerationEvent = StepEvent | ImageEvent;

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
