import { KarloDraft } from '../images/draft.js';
import { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Provenance } from '../images/recipe.js';
import { embedWatermark } from '../images/watermark/embed.js';
import { STAGES } from '../options/descriptions.js';
import { batchKey, type Half, type ImageBatchRequest } from './batching.js';
import type { BatchOutput, Cascade, CascadeSettings } from './cascade.js';
import type { Estimator } from './estimate.js';
import type { CallProgress } from './progress.js';
import type { SafetyGuard } from './safety-guard.js';
import { StepReporter } from './step-reporter.js';
import { type GenerationEvent, zeroSeconds } from './task.js';

/** What a session works with. */
export interface SessionOptions {
  readonly cascade: Cascade;
  readonly estimator: Estimator;
  readonly signal: AbortSignal;
  /** Starts to hash the weights, which takes a while. */
  readonly provenance: Promise<Provenance>;
  /** Checks prompts and images. */
  readonly guard: SafetyGuard;
  emit(event: GenerationEvent): void;
  /** Announces work that will add a request and is short compared to a batch. */
  expect<T>(work: Promise<T>): Promise<T>;
  /** Runs a request as part of a batch. */
  submit<Job, Result>(request: ImageBatchRequest<Job, Result>): Promise<BatchOutput<Result>>;
}

/** What encodes the inputs of a call. */
export interface Encoding {
  readonly cascade: Cascade;
  /** Checks prompts. */
  readonly guard: SafetyGuard;
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

  /**
   * Checks images or drafts, and reports them.
   * @returns what is shown of each
   * @throws {KarloError} ERR_KARLO_UNSAFE if an unsafe image ends the call
   */
  async show<T extends KarloImage>(images: readonly T[], places: readonly Place[]): Promise<T[]> {
    const indices = places.map(({ index }) => index);
    const checked = await this.#options.guard.checkImages(images, indices);
    const shown = checked.map(withWatermark);
    for (const [i, image] of shown.entries()) {
      this.#options.emit({ type: 'image', index: indices[i] as number, image });
    }
    return shown;
  }

  /** Runs an encoder. A batch that is not full waits for it, because the call is about to join it. */
  async encode<T>(work: (encoding: Encoding) => Promise<T>): Promise<T> {
    const { cascade, guard, signal } = this.#options;
    const start = performance.now();
    try {
      return await this.#options.expect(work({ cascade, guard, signal }));
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
    const { guard, signal, emit } = this.#options;
    const reporter = new StepReporter(guard, emit);
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
        reporter.report({
          type: 'step',
          stage,
          ...progress.add(stage, step, steps),
          batch: { images, candidates, step, steps },
          ...(x0 && { previews: previewsOf(jobs, x0) }),
        }),
    });
    await reporter.end();
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

/**
 * The image with the watermark that its recipe names. It is added here, after the safety check, so that `data`, files
 * and responses agree. Drafts have none: their images get it.
 */
function withWatermark<T extends KarloImage>(image: T): T {
  const { recipe, seed } = image;
  if (!recipe?.watermark || image instanceof KarloDraft) return image;
  return new KarloImage(embedWatermark(image, recipe.watermark), seed, recipe) as T;
}
