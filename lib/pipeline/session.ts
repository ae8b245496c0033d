import { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Provenance } from '../images/recipe.js';
import { STAGES } from '../options/descriptions.js';
import { batchKey, type Half, type ImageBatchRequest } from './batching.js';
import type { BatchOutput, Cascade, CascadeSettings } from './cascade.js';
import type { Estimator } from './estimate.js';
import type { CallProgress } from './progress.js';
import { type GenerationEvent, zeroSeconds } from './task.js';

/** What a session works with. */
export interface SessionOptions {
  readonly cascade: Cascade;
  readonly estimator: Estimator;
  readonly signal: AbortSignal;
  /** Starts to hash the weights, which takes a while. */
  readonly provenance: Promise<Provenance>;
  emit(event: GenerationEvent): void;
  /** Announces work that will add a request and is short compared to a batch. */
  expect<T>(work: Promise<T>): Promise<T>;
  /** Runs a request as part of a batch. */
  submit<Job, Result>(request: ImageBatchRequest<Job, Result>): Promise<BatchOutput<Result>>;
}

/** What encodes the inputs of a call. */
export interface Encoding {
  readonly cascade: Cascade;
  readonly signal: AbortSignal;
}

/** The place of a draft or an image in its call. */
export interface Place {
  /** Its index in the result. */
  readonly index: number;
  /** Which candidate it is, from 0. */
  readonly candidate: number;
  readonly seed: number;
}

/** How the batches of one half of the cascade run. */
export interface BatchSettings {
  readonly stages: CascadeSettings;
  readonly batchSize: number;
  readonly previews: boolean;
  readonly progress: CallProgress;
  /** Parts of the conditions, which must be the same within a batch. */
  readonly parts?: readonly string[];
}

/** A running call: what it works with, and the seconds it has spent. */
export class CallSession {
  readonly #options: SessionOptions;
  /** Those of batches are the seconds of the whole batch. */
  readonly seconds = { encode: 0, ...zeroSeconds() };

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get estimator(): Estimator {
    return this.#options.estimator;
  }

  get cascade(): Cascade {
    return this.#options.cascade;
  }

  get provenance(): Promise<Provenance> {
    return this.#options.provenance;
  }

  emit(event: GenerationEvent): void {
    this.#options.emit(event);
  }

  /** Runs an encoder. A batch that is not full waits for it, because the call is about to join it. */
  async encode<T>(work: (encoding: Encoding) => Promise<T>): Promise<T> {
    const { cascade, signal } = this.#options;
    const start = performance.now();
    try {
      return await this.#options.expect(work({ cascade, signal }));
    } finally {
      this.seconds.encode += (performance.now() - start) / 1000;
    }
  }

  /** Runs jobs as part of a batch, and reports its steps. */
  async submit<Job extends Place, Result>(
    half: Half<Job, Result>,
    jobs: readonly Job[],
    { stages, batchSize, previews, progress, parts }: BatchSettings,
  ): Promise<Result[]> {
    const { signal } = this.#options;
    const images = jobs.map(({ index }) => index);
    const candidates = jobs.map(({ candidate }) => candidate);
    const { results, seconds } = await this.#options.submit<Job, Result>({
      key: batchKey(stages, batchSize, parts),
      size: jobs.length,
      capacity: batchSize,
      completes: stages.upsample !== undefined,
      signal,
      jobs,
      stages,
      previews,
      run: half,
      onStep: (stage, step, steps, x0) =>
        this.emit({
          type: 'step',
          stage,
          ...progress.add(stage, step, steps),
          batch: { images, candidates, step, steps },
          ...(x0 && { previews: previewsOf(jobs, x0) }),
        }),
    });
    for (const stage of STAGES) this.seconds[stage] += seconds[stage];
    return results;
  }
}

function previewsOf(places: readonly Place[], x0: readonly Pixels[]) {
  return places.map(({ index, seed }, i) => ({
    index,
    image: new KarloImage(x0[i] as Pixels, seed),
  }));
}
