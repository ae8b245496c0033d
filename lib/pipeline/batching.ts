import type { Pixels } from '../images/pixels.js';
import type { Portion } from './batch-queue.js';
import type { Cascade, Condition, LoopOptions, Seconds } from './cascade.js';
import type { StageName } from './task.js';

/** A picture to be made. */
export interface Job {
  readonly condition: Condition;
  readonly seed: number;
  /** The place of its prompt or picture in the call. */
  readonly source: number;
  /** Its own place in the result. */
  readonly index: number;
}

/** The pictures of a call: each condition with each seed. */
export function jobsOf(conditions: readonly Condition[], seeds: readonly number[]): Job[] {
  const pairs = conditions.flatMap((condition, source) =>
    seeds.map((seed) => ({ condition, seed, source })),
  );
  return pairs.map((pair, index) => ({ ...pair, index }));
}

/** Pictures of one call that go through the networks at once, perhaps with those of other calls. */
export interface PicturePortion extends Portion {
  readonly jobs: readonly Job[];
  readonly loops: LoopOptions;
  /** Whether its steps carry the predicted x0. */
  readonly previews: boolean;
  onStep(stage: StageName, step: number, steps: number, previews: Pixels[] | undefined): void;
}

/** A portion's pictures, and the seconds that its batch took. */
export interface Made {
  readonly pictures: readonly Pixels[];
  readonly seconds: Seconds;
}

/**
 * Makes the pictures of portions as one batch. It is always full: its last picture fills it up. What a
 * kernel computes for a row can hang on how many rows there are, so that a picture's bytes hang on its
 * seed and the batch's size alone, and not on who else is in it.
 */
export async function makeBatch(
  cascade: Cascade,
  portions: readonly PicturePortion[],
  signal: AbortSignal,
): Promise<Made[]> {
  const [{ capacity, loops }] = portions as [PicturePortion];
  const jobs = portions.flatMap((portion) => portion.jobs);
  const full = Array.from(
    { length: capacity },
    (_, i) => jobs[Math.min(i, jobs.length - 1)] as Job,
  );
  const split = splitter(portions);
  const { pictures, seconds } = await cascade.make({
    conditions: full.map(({ condition }) => condition),
    seeds: full.map(({ seed }) => seed),
    loops,
    signal,
    onStep(stage, step, steps, x0) {
      const seen = portions.some(({ previews }) => previews) ? x0?.() : undefined;
      for (const [i, portion] of portions.entries()) {
        portion.onStep(stage, step, steps, portion.previews && seen ? split(seen, i) : undefined);
      }
    },
  });
  return portions.map((_, i) => ({ pictures: split(pictures, i), seconds }));
}

/** Gives portion i's part of a batch's pictures. */
function splitter(portions: readonly PicturePortion[]) {
  let end = 0;
  const ranges = portions.map(({ jobs }) => {
    end += jobs.length;
    return [end - jobs.length, end] as const;
  });
  return <T>(all: readonly T[], i: number): T[] =>
    all.slice(...(ranges[i] as readonly [number, number]));
}
