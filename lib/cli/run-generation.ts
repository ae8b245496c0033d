import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { readPicture } from '../images/decode.js';
import { qualityRange } from '../images/encode.js';
import { KarloImage } from '../images/karlo-image.js';
import type { Recipe } from '../images/recipe.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import { integer } from '../options/validate.js';
import type { Generation, GenerationTask } from '../pipeline/task.js';
import { gridFileOf, prepareFolders, refuseTaken, type Target, targetsOf } from './files.js';
import { checked, defined, type Flags, wrongOption } from './options.js';
import { interruptible } from './terminal/interruptible.js';
import { openLoading, openProgress } from './terminal/progress.js';

/** Pictures that a command is to make. */
export interface Plan {
  /** What they are made of, as it gives files their names. */
  readonly names: readonly string[];
  /** Of each source's pictures. */
  readonly seeds: readonly number[];
  readonly load: KarloOptions;
  readonly recipe: Recipe | undefined;
  /** Whether pictures that are there are left out, and not refused. */
  readonly resume: boolean;
  /** Sources that are encoded at once. */
  readonly atOnce: number;
  /** Starts pictures of some sources. */
  start(
    karlo: Karlo,
    sources: readonly number[],
    options: { seed: readonly number[]; signal: AbortSignal; previews: boolean },
  ): GenerationTask;
}

/** Loads the model, makes the pictures, writes each as soon as it is done, and prints what there is. */
export async function make(command: Command, plan: Plan, flags: Flags): Promise<void> {
  const targets = checked(command, () => {
    integer(flags.quality, qualityRange, '--quality', undefined);
    return targetsOf(plan.names, plan.seeds, { path: flags.output, format: flags.format });
  });
  const open = plan.resume ? targets.filter(({ file }) => !existsSync(file)) : targets;
  const grid = flags.grid ? gridOf(targets, plan.resume && open.length === 0) : undefined;
  const files = open.map(({ file }) => file);
  if (!flags.force) refuseTaken(grid && !grid.skipped ? [...files, grid.file] : files);
  prepareFolders(targets.map(({ file }) => file));
  const report: Report = { warnings: [], timings: emptyTimings() };
  await interruptible(async (signal) => {
    if (open.length > 0) await run(plan, open, flags, report, signal);
    if (grid && !grid.skipped) await writeGrid(grid.file, targets, flags);
    signal.throwIfAborted();
  }).catch((error) => wrongOption(command, error));
  print(plan, targets, open, grid, report, flags);
}

interface Grid {
  readonly file: string;
  /** Whether it is there, and whole: no picture is added. */
  readonly skipped: boolean;
}

function gridOf(targets: readonly Target[], isWhole: boolean): Grid {
  const file = gridFileOf(targets);
  return { file, skipped: isWhole && existsSync(file) };
}

interface Report extends Pick<Generation, 'warnings' | 'timings'> {
  device?: string;
  dtype?: string;
}

function emptyTimings(): Generation['timings'] {
  return { encode: 0, prior: 0, decoder: 0, upsample: 0, total: 0 };
}

async function run(
  plan: Plan,
  open: readonly Target[],
  flags: Flags,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const loading = openLoading();
  const load = { ...plan.load, onProgress: loading.update, signal };
  await using karlo = await Karlo.load(load).finally(loading.end);
  report.device = karlo.device;
  report.dtype = karlo.dtype;
  if (plan.recipe) report.warnings.push(...(await differences(plan.recipe, karlo)));
  for (const group of groupsOf(open, plan.atOnce)) {
    const seed = group[0]?.map((target) => target.seed) ?? [];
    const sources = group.map(([target]) => (target as Target).source);
    const options = { seed, signal, previews: flags.preview ?? false };
    const { warnings, timings } = await write(
      plan.start(karlo, sources, options),
      group.flat(),
      flags,
    );
    report.warnings.push(...warnings);
    for (const stage of Object.keys(timings) as (keyof typeof timings)[]) {
      report.timings[stage] += timings[stage];
    }
  }
}

/** Sources whose pictures have the same seeds, each with its targets: they can be made in one call. */
function groupsOf(targets: readonly Target[], most: number): Target[][][] {
  const bySource = grouped(targets, ({ source }) => source);
  const bySeeds = grouped(bySource, (own) => own.map(({ seed }) => seed).join());
  return bySeeds.flatMap((sources) => {
    const groups = Math.ceil(sources.length / most);
    return Array.from({ length: groups }, (_, i) => sources.slice(i * most, (i + 1) * most));
  });
}

function grouped<T>(list: readonly T[], keyOf: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

async function write(
  task: GenerationTask,
  targets: readonly Target[],
  { preview = false, force = false, quality, recipe }: Flags,
): Promise<Generation> {
  const progress = await openProgress(preview);
  const options = { force, recipe, ...defined({ quality }) };
  try {
    for await (const event of task) {
      if (event.type === 'step') await progress.show(event);
      else await event.image.toFile((targets[event.index] as Target).file, options);
    }
    return await task;
  } finally {
    progress.end();
  }
}

/** What stands in the way of the recipe's very picture. */
async function differences({ model, versions, device }: Recipe, karlo: Karlo): Promise<string[]> {
  const own = await karlo.facts();
  if (model.sha256 !== own.model.sha256) {
    return [`The recipe is of other weights (${model.name}): the picture will be another one`];
  }
  if (device !== own.device) {
    return [`The recipe is of another kind of device (${device}): the picture may differ a little`];
  }
  if (versions.libtorch === own.versions.libtorch) return [];
  return [`The recipe is of LibTorch ${versions.libtorch}: the picture may differ by 1/255`];
}

async function writeGrid(
  file: string,
  targets: readonly Target[],
  { force = false, quality }: Flags,
): Promise<void> {
  const images = await Promise.all(
    targets.map(async (target) => new KarloImage(await readPicture(target.file), target.seed)),
  );
  await KarloImage.grid(images).toFile(file, { force, ...defined({ quality }) });
}

function print(
  { names }: Plan,
  targets: readonly Target[],
  open: readonly Target[],
  grid: Grid | undefined,
  { warnings, ...report }: Report,
  { json = false }: Flags,
): void {
  for (const warning of warnings) console.error(`warning: ${warning}`);
  const pictures = targets.map((target) => ({
    file: target.file,
    of: names[target.source],
    seed: target.seed,
    skipped: !open.includes(target),
  }));
  if (json) {
    console.log(
      JSON.stringify({ pictures, ...(grid && { grid: grid.file }), warnings, ...report }),
    );
    return;
  }
  for (const { file, skipped } of [...pictures, ...(grid ? [grid] : [])]) {
    console.log(skipped ? `${file} (was there)` : file);
  }
}
