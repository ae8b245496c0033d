import { KarloImage } from './image.js';
import type { Pixels } from './stages/pictures.js';
import type { GenerationEvent, StageName } from './task.js';

/** A picture to be made: from which prompt or picture, and which seed. */
export interface Job {
  source: number;
  seed: number;
  /** Its place in the result. */
  index: number;
}

/** The pictures of a run: each source with each seed. */
export function jobsOf(sources: number, seeds: readonly number[]): Job[] {
  return Array.from({ length: sources * seeds.length }, (_, index) => ({
    source: Math.floor(index / seeds.length),
    seed: seeds[index % seeds.length] as number,
    index,
  }));
}

/**
 * Batches of exactly this size; the last one is filled up with its own last picture. What a kernel
 * computes for a row can hang on how many rows there are, so that a picture's bytes hang on its seed
 * and the batch size alone.
 */
export function batchesOf(jobs: readonly Job[], size: number): Job[][] {
  return Array.from({ length: Math.ceil(jobs.length / size) }, (_, b) =>
    Array.from({ length: size }, (_, i) => jobs[Math.min(b * size + i, jobs.length - 1)] as Job),
  );
}

/** A batch's pictures by their place in the result, what filled it up left out. */
export function imagesOf(batch: readonly Job[], pixels: readonly Pixels[]) {
  return batch.flatMap(({ index, seed }, i) =>
    index === batch[i - 1]?.index
      ? []
      : [{ index, image: new KarloImage(pixels[i] as Pixels, seed) }],
  );
}

/** A step of one batch. */
export interface BatchStep {
  stage: StageName;
  step: number;
  steps: number;
  previews?: Pixels[];
}

/** A step of one batch as an event of the whole run. */
export function stepEvent(
  { stage, step, steps, previews }: BatchStep,
  b: number,
  batches: readonly (readonly Job[])[],
): GenerationEvent {
  return {
    type: 'step',
    stage,
    step: b * steps + step,
    steps: batches.length * steps,
    ...(previews && { previews: imagesOf(batches[b] as readonly Job[], previews) }),
  };
}
