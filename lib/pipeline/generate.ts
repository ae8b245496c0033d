import { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Recipe } from '../images/recipe.js';
import { type OptionTable, STAGES, type Task, taskOptions } from '../options/descriptions.js';
import { recordedOptions } from '../options/recorded.js';
import { chunks } from '../util/chunks.js';
import type { BatchQueue } from './batch-queue.js';
import { type BatchResult, type ImageBatchRequest, type ImageJob, imageJobs } from './batching.js';
import type { CallSettings } from './calls/call.js';
import type { Condition } from './cascade.js';
import { type GenerationEvent, zeroSeconds } from './task.js';

/** An encoded call. */
export interface GenerateOptions {
  readonly task: Task;
  readonly settings: CallSettings;
  readonly conditions: readonly Condition[];
  readonly signal: AbortSignal;
  emit(event: GenerationEvent): void;
  recipeOf(job: ImageJob): Promise<Recipe>;
}

/** Generates a call's images, one batch after the other, and reports each step and image. */
export async function generate(
  queue: BatchQueue<ImageBatchRequest, BatchResult>,
  options: GenerateOptions,
) {
  const { settings, emit, recipeOf } = options;
  const jobs = imageJobs(options.conditions, settings.seeds);
  const batches = chunks(jobs, settings.batchSize);
  const images: KarloImage[] = [];
  const seconds = zeroSeconds();
  for (const [b, batch] of batches.entries()) {
    const result = await queue.add(requestOf(batch, b, batches.length, options));
    for (const stage of STAGES) seconds[stage] += result.seconds[stage];
    for (const [i, job] of batch.entries()) {
      const image = new KarloImage(result.images[i] as Pixels, job.seed, await recipeOf(job));
      images.push(image);
      emit({ type: 'image', index: job.index, image });
    }
  }
  return { images, seeds: jobs.map(({ seed }) => seed), seconds };
}

/** The request for batch b of a call. */
function requestOf(
  jobs: readonly ImageJob[],
  b: number,
  batches: number,
  { task, settings, signal, emit }: GenerateOptions,
): ImageBatchRequest {
  const { batchSize, previews, prior, decoder, upsample } = settings;
  // Every option that an image depends on, except the seed, is in its recipe.
  const recorded = recordedOptions<OptionTable>(taskOptions[task], settings);
  const stages = { ...(prior && { prior }), decoder, upsample };
  return {
    key: JSON.stringify([task, recorded]),
    size: jobs.length,
    capacity: batchSize,
    signal,
    jobs,
    stages,
    previews,
    onStep: (stage, step, steps, x0) =>
      emit({
        type: 'step',
        stage,
        step: b * steps + step,
        steps: batches * steps,
        ...(x0 && { previews: previewsOf(jobs, x0) }),
      }),
  };
}

function previewsOf(jobs: readonly ImageJob[], x0: readonly Pixels[]) {
  return jobs.map(({ index, seed }, i) => ({
    index,
    image: new KarloImage(x0[i] as Pixels, seed),
  }));
}
