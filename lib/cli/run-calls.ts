// Runs the calls of a command that generates images.
import type { KarloImage } from '../images/karlo-image.js';
import type { Recipe } from '../images/recipe.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import { flagLabel } from '../options/flags.js';
import { differences } from '../pipeline/calls/recipes.js';
import { type Generation, type GenerationTask, zeroSeconds } from '../pipeline/task.js';
import { chunks } from '../util/chunks.js';
import { grouped } from '../util/grouped.js';
import type { ImageFlags } from './flags.js';
import type { Output, Target } from './output-files.js';
import { openLoading, openProgress } from './terminal/progress.js';

/** The images that a command generates. */
export interface GenerationPlan {
  /** What each image is made of: a prompt, or the name of an input file. */
  readonly names: readonly string[];
  /** The file of each image. */
  targets(output: Output): Target[];
  /** The targets of each call, in a list for each source. */
  calls(targets: readonly Target[]): Target[][][];
  readonly load: KarloOptions;
  readonly recipe: Recipe | undefined;
  /** Whether existing images are skipped. Otherwise they are an error. */
  readonly resume: boolean;
  /** Drafts from which each image is chosen. */
  readonly candidates: number;
  /** Reported after the images. */
  readonly warnings?: readonly string[];
}

/** Starts the images of some sources. */
export type StartGeneration = (
  karlo: Karlo,
  sources: readonly number[],
  options: { seed: readonly number[]; signal: AbortSignal; previews: boolean },
) => GenerationTask;

/** An image that was made: with candidates, the seed of the chosen one. */
type MadeImage = Pick<KarloImage, 'seed'> & Pick<Recipe, 'selection' | 'verdict'>;

/** What calls have generated. */
export interface Report extends Pick<Generation, 'warnings' | 'timings'> {
  readonly made: Map<Target, MadeImage>;
  device?: string;
  dtype?: string;
}

export function emptyReport(): Report {
  return { made: new Map(), warnings: [], timings: { encode: 0, ...zeroSeconds(), total: 0 } };
}

/** What {@link runCalls} runs. */
export interface Calls {
  readonly plan: GenerationPlan;
  /** The images of the plan that are generated. */
  readonly targets: readonly Target[];
  readonly flags: Pick<ImageFlags, 'preview'>;
  readonly start: StartGeneration;
  readonly signal: AbortSignal;
  /** Called with each image as soon as it is done. */
  readonly write: (image: KarloImage, target: Target) => void | Promise<void>;
}

/** Loads the model and generates the images of some targets. */
export function runCalls(calls: Calls): Promise<Report> {
  const { plan, targets, flags, start, signal } = calls;
  return withModel(plan.load, signal, async (karlo) => {
    const report = { ...emptyReport(), device: karlo.device, dtype: karlo.dtype };
    if (plan.recipe) report.warnings.push(...differences(plan.recipe, await karlo.provenance()));
    for (const group of plan.calls(targets)) {
      const seed = group[0]?.map((target) => target.seed) ?? [];
      const sources = group.map(([target]) => (target as Target).source);
      const task = start(karlo, sources, { seed, signal, previews: flags.preview ?? false });
      const { warnings, timings } = await passOn(task, group.flat(), calls, report.made);
      report.warnings.push(...warnings);
      for (const stage of Object.keys(timings) as (keyof typeof timings)[]) {
        report.timings[stage] += timings[stage];
      }
    }
    return report;
  });
}

/** Loads a model, shows that in a terminal, and frees the model after its use. */
export async function withModel<T>(
  load: KarloOptions,
  signal: AbortSignal,
  use: (karlo: Karlo) => Promise<T>,
): Promise<T> {
  const loading = openLoading();
  const options = { ...load, onProgress: loading.update, signal };
  await using karlo = await Karlo.loadLabelled(options, flagLabel).finally(loading.end);
  return await use(karlo);
}

/** Calls of up to so many sources, whose images have the same seeds. */
export function callsBySeeds(targets: readonly Target[], sourcesPerCall: number): Target[][][] {
  const bySource = grouped(targets, ({ source }) => source);
  const bySeeds = grouped(bySource, (own) => own.map(({ seed }) => seed).join());
  return bySeeds.flatMap((sources) => chunks(sources, sourcesPerCall));
}

/** Shows the progress of a call, and passes its images on. */
async function passOn(
  task: GenerationTask,
  targets: readonly Target[],
  { plan: { candidates }, flags, write }: Calls,
  made: Map<Target, MadeImage>,
): Promise<Generation> {
  const size = { images: targets.length, candidates };
  const progress = await openProgress(flags.preview ?? false, size);
  try {
    for await (const event of task) {
      if (event.type === 'step') {
        await progress.show(event);
        continue;
      }
      const target = targets[event.index] as Target;
      const { seed, recipe } = event.image;
      const { selection, verdict } = recipe ?? {};
      made.set(target, { seed, ...(selection && { selection }), ...(verdict && { verdict }) });
      await write(event.image, target);
    }
    return await task;
  } finally {
    progress.end();
  }
}
