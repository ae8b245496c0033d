import type { Pixels } from '../images/pixels.js';
import type { BatchRequest } from './batch-queue.js';
import type { BatchOutput, BatchRun, Cascade, CascadeSettings } from './cascade.js';
import type { StageName } from './task.js';

/** Half of the cascade, `draft` or `finish`, as work on a batch. */
export type Half<Job, Result> = (
  cascade: Cascade,
  jobs: readonly Job[],
  run: BatchRun,
) => Promise<BatchOutput<Result>>;

/** Jobs of one call that may share a batch with those of other calls. */
export interface ImageBatchRequest<Job = unknown, Result = unknown> extends BatchRequest {
  readonly jobs: readonly Job[];
  readonly stages: CascadeSettings;
  /** Whether steps report the predicted x0. */
  readonly previews: boolean;
  onStep(stage: StageName, step: number, steps: number, previews: Pixels[] | undefined): void;
  // A method, so that requests of both halves can share a queue.
  run(...args: Parameters<Half<Job, Result>>): Promise<BatchOutput<Result>>;
}

/**
 * What the requests of a batch must agree on. The stages of the halves differ, and so do those of prompts
 * and of input images, which have no prior.
 * @param parts of the jobs' conditions
 */
export function batchKey(
  stages: CascadeSettings,
  capacity: number,
  parts: readonly string[] = [],
): string {
  return JSON.stringify([capacity, stages, parts]);
}

/**
 * Runs the jobs of several requests as one batch, filled up to its capacity with copies of the last
 * job. Kernels may round differently for another number of rows, so a full batch makes an image
 * depend only on its seed and the batch size, not on what else is in the batch.
 * @returns the results of each request, and the seconds that the whole batch took
 */
export async function runBatch<Result>(
  cascade: Cascade,
  requests: readonly ImageBatchRequest<unknown, Result>[],
  signal: AbortSignal,
): Promise<BatchOutput<Result>[]> {
  const [first] = requests as [ImageBatchRequest<unknown, Result>];
  const jobs = requests.flatMap((request) => request.jobs);
  const full = Array.from({ length: first.capacity }, (_, i) => jobs[Math.min(i, jobs.length - 1)]);
  const partOf = partition(requests);
  const { results, seconds } = await first.run(cascade, full, {
    stages: first.stages,
    signal,
    onStep(stage, step, steps, decodeX0) {
      const x0 = requests.some(({ previews }) => previews) ? decodeX0?.() : undefined;
      for (const [i, request] of requests.entries()) {
        request.onStep(stage, step, steps, request.previews && x0 ? partOf(i, x0) : undefined);
      }
    },
  });
  return requests.map((_, i) => ({ results: partOf(i, results), seconds }));
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
