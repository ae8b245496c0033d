import { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Recipe } from '../images/recipe.js';
import type { Resolved } from '../options/generation.js';
import type { BatchQueue } from './batch-queue.js';
import { type Job, jobsOf, type Made, type PicturePortion } from './batching.js';
import type { Condition, LoopOptions, Seconds } from './cascade.js';
import type { GenerationEvent } from './task.js';

/** Where a run's events go, and what ends it. */
export interface Run {
  emit(event: GenerationEvent): void;
  readonly signal: AbortSignal;
}

/** One call, encoded. */
export interface Call extends Run {
  readonly conditions: readonly Condition[];
  readonly settings: Resolved & LoopOptions;
  recipeOf(job: Job): Promise<Recipe>;
}

export type PictureQueue = BatchQueue<PicturePortion, Made>;

/** Makes a call's pictures, a batch after the other, and tells of each step and picture. */
export async function generate(queue: PictureQueue, call: Call) {
  const { settings, emit, recipeOf } = call;
  const jobs = jobsOf(call.conditions, settings.seeds);
  const portions = chunks(jobs, settings.batchSize);
  const images: KarloImage[] = [];
  const seconds: Seconds = { prior: 0, decoder: 0, upsample: 0 };
  for (const [p, portion] of portions.entries()) {
    const made = await queue.add(portionOf(portion, p, portions.length, call));
    addTo(seconds, made.seconds);
    for (const [i, job] of portion.entries()) {
      const image = new KarloImage(made.pictures[i] as Pixels, job.seed, await recipeOf(job));
      images.push(image);
      emit({ type: 'image', index: job.index, image });
    }
  }
  return { images, seeds: jobs.map(({ seed }) => seed), seconds };
}

function portionOf(
  jobs: readonly Job[],
  p: number,
  portions: number,
  { conditions, settings, signal, emit }: Call,
): PicturePortion {
  const { batchSize, previews, prior, decoder, upsample } = settings;
  const loops = { ...(prior && { prior }), decoder, upsample };
  const kind = Object.keys(conditions[0] as Condition);
  return {
    ...{ jobs, loops, previews, signal, size: jobs.length, capacity: batchSize },
    key: JSON.stringify([kind, loops, batchSize]),
    onStep: (stage, step, steps, seen) =>
      emit({
        ...{ type: 'step', stage, step: p * steps + step, steps: portions * steps },
        ...(seen && { previews: previewsOf(jobs, seen) }),
      }),
  };
}

function previewsOf(jobs: readonly Job[], pictures: readonly Pixels[]) {
  return jobs.map(({ index, seed }, i) => ({
    index,
    image: new KarloImage(pictures[i] as Pixels, seed),
  }));
}

function addTo(sum: Seconds, more: Seconds): void {
  for (const stage of ['prior', 'decoder', 'upsample'] as const) sum[stage] += more[stage];
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}
