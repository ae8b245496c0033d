import type { Pixels } from '../images/pixels.js';
import type { BatchRequest } from './batch-queue.js';
import type { Cascade, CascadeSettings, Condition } from './cascade.js';
import type { StageName, StageSeconds } from './task.js';

/** An image to generate. */
export interface ImageJob {
  readonly condition: Condition;
  readonly seed: number;
  /** Index of its prompt or source image in the call. */
  readonly source: number;
  /** Index of the image in the result. */
  readonly index: number;
}

/** The images of a call: every condition with every seed. */
export function imageJobs(conditions: readonly Condition[], seeds: readonly number[]): ImageJob[] {
  const pairs = conditions.flatMap((condition, source) =>
    seeds.map((seed) => ({ condition, seed, source })),
  );
  return pairs.map((pair, index) => ({ ...pair, index }));
}

/** Images of one call that may share a batch with those of other calls. */
export interface ImageBatchRequest extends BatchRequest {
  readonly jobs: readonly ImageJob[];
  readonly stages: CascadeSettings;
  /** Whether steps report the predicted x0. */
  readonly previews: boolean;
  onStep(stage: StageName, step: number, steps: number, previews: Pixels[] | undefined): void;
}

/** A request's images, and the seconds that its whole batch took. */
export interface BatchResult {
  readonly images: readonly Pixels[];
  readonly seconds: StageSeconds;
}

/**
 * Generates the images of several requests as one batch, filled up to its capacity with copies of
 * the last image. Kernels may round differently for another number of rows, so a full batch makes
 * an image depend only on its seed and the batch size, not on what else is in the batch.
 */
export async function runBatch(
  cascade: Cascade,
  requests: readonly ImageBatchRequest[],
  signal: AbortSignal,
): Promise<BatchResult[]> {
  const [{ capacity, stages }] = requests as [ImageBatchRequest];
  const jobs = requests.flatMap((request) => request.jobs);
  const full = Array.from(
    { length: capacity },
    (_, i) => jobs[Math.min(i, jobs.length - 1)] as ImageJob,
  );
  const partOf = partition(requests);
  const { images, seconds } = await cascade.generate({
    conditions: full.map(({ condition }) => condition),
    seeds: full.map(({ seed }) => seed),
    stages,
    signal,
    onStep(stage, step, steps, decodeX0) {
      const x0 = requests.some(({ previews }) => previews) ? decodeX0?.() : undefined;
      for (const [i, request] of requests.entries()) {
        request.onStep(stage, step, steps, request.previews && x0 ? partOf(i, x0) : undefined);
      }
    },
  });
  return requests.map((_, i) => ({ images: partOf(i, images), seconds }));
}

/** Returns a function that cuts request i's part out of a batch's results. */
function partition(requests: readonly ImageBatchRequest[]) {
  let end = 0;
  const ranges = requests.map(({ jobs }) => {
    end += jobs.length;
    return [end - jobs.length, end] as const;
  });
  return <T>(i: number, all: readonly T[]): T[] =>
    all.slice(...(ranges[i] as readonly [number, number]));
}
