import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { invalidArgument } from '../errors.js';
import { decodeImage } from '../images/decode.js';
import { qualityRange } from '../images/encode.js';
import { formatOf, formatOfFile } from '../images/formats.js';
import { KarloImage } from '../images/karlo-image.js';
import type { Recipe } from '../images/recipe.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import { flagLabel } from '../options/flags.js';
import { integer } from '../options/validate.js';
import { type Generation, type GenerationTask, zeroSeconds } from '../pipeline/task.js';
import { chunks } from '../util/chunks.js';
import { closingLine, type WrittenImage } from './closing-line.js';
import { checked, defined, type ImageFlags, throwUsageError } from './flags.js';
import {
  gridFileOf,
  prepareFolders,
  requireNewFiles,
  stdoutFile,
  type Target,
  targetsOf,
} from './output-files.js';
import { interruptible } from './terminal/interruptible.js';
import { openLoading, openProgress } from './terminal/progress.js';

/** The images that a command generates. */
export interface GenerationPlan {
  /** A name for each source, a prompt or an image, from which files get theirs. */
  readonly names: readonly string[];
  /** The seeds of each source's images. */
  readonly seeds: readonly number[];
  readonly load: KarloOptions;
  readonly recipe: Recipe | undefined;
  /** Whether existing images are skipped. Otherwise they are an error. */
  readonly resume: boolean;
  readonly sourcesPerCall: number;
  /** Reported after the images. */
  readonly warnings?: readonly string[];
}

/** Starts the images of some sources. */
export type StartGeneration = (
  karlo: Karlo,
  sources: readonly number[],
  options: { seed: readonly number[]; signal: AbortSignal; previews: boolean },
) => GenerationTask;

/** Loads the model, generates the images, writes each as soon as it is done, and prints the files. */
export async function runGeneration(
  command: Command,
  plan: GenerationPlan,
  flags: ImageFlags,
  start: StartGeneration,
): Promise<void> {
  const targets = checked(command, () => {
    integer(flags.quality, qualityRange, '--quality', undefined);
    if (flags.output === stdoutFile) requireFreeStdout(flags);
    return targetsOf(plan.names, plan.seeds, { path: flags.output, format: flags.format });
  });
  const files = targets.map(({ file }) => file).filter((file) => file !== stdoutFile);
  const resumed = plan.resume ? files.filter((file) => existsSync(file)) : [];
  const missing = targets.filter(({ file }) => !resumed.includes(file));
  const grid = flags.grid ? gridOf(targets, plan.resume && missing.length === 0) : undefined;
  const made = files.filter((file) => !resumed.includes(file));
  if (!flags.force) requireNewFiles(grid && !grid.skipped ? [...made, grid.file] : made);
  prepareFolders(files);
  const report = await interruptible(async (signal) => {
    const made =
      missing.length > 0 ? await generate(plan, missing, flags, start, signal) : emptyReport();
    if (grid && !grid.skipped) await writeGrid(grid.file, targets, flags);
    signal.throwIfAborted();
    return made;
  }).catch((error) => throwUsageError(command, error));
  const images = targets.map((target) => ({
    file: target.file,
    of: plan.names[target.source],
    seed: target.seed,
    skipped: !missing.includes(target),
  }));
  const warnings = [
    ...(plan.warnings ?? []),
    ...report.warnings,
    ...qualityWarnings(targets, flags),
  ];
  print(images, grid, { ...report, warnings }, flags);
}

/** The image on stdout leaves no room for other output, and a terminal cannot show its bytes. */
function requireFreeStdout({ json, grid }: ImageFlags): void {
  const other = json ? '--json' : grid ? '--grid' : undefined;
  if (other !== undefined) {
    throw invalidArgument(
      `Expected a file or a folder for --output with ${other} but received '-'`,
    );
  }
  if (!process.stdout.isTTY) return;
  throw invalidArgument(
    "Expected a file or a folder for --output but received '-', and stdout is a terminal: redirect it, as in karlo … -o - > image.png",
  );
}

function qualityWarnings([target]: readonly Target[], { quality, format }: ImageFlags): string[] {
  if (quality === undefined) return [];
  const { label, lossy } = formatOf(formatOfFile(target?.file ?? '') ?? format);
  return lossy ? [] : [`--quality has no effect on ${label}, which is lossless`];
}

interface Grid {
  readonly file: string;
  /** Whether it exists already, and no image is added to it. */
  readonly skipped: boolean;
}

function gridOf(targets: readonly Target[], isComplete: boolean): Grid {
  const file = gridFileOf(targets);
  return { file, skipped: isComplete && existsSync(file) };
}

interface Report extends Pick<Generation, 'warnings' | 'timings'> {
  device?: string;
  dtype?: string;
}

function emptyReport(): Report {
  return { warnings: [], timings: { encode: 0, ...zeroSeconds(), total: 0 } };
}

async function generate(
  plan: GenerationPlan,
  targets: readonly Target[],
  flags: ImageFlags,
  start: StartGeneration,
  signal: AbortSignal,
): Promise<Report> {
  const loading = openLoading();
  const load = { ...plan.load, onProgress: loading.update, signal };
  await using karlo = await Karlo.loadLabelled(load, flagLabel).finally(loading.end);
  const report = { ...emptyReport(), device: karlo.device, dtype: karlo.dtype };
  if (plan.recipe) report.warnings.push(...(await differences(plan.recipe, karlo)));
  for (const group of groupsOf(targets, plan.sourcesPerCall)) {
    const seed = group[0]?.map((target) => target.seed) ?? [];
    const sources = group.map(([target]) => (target as Target).source);
    const task = start(karlo, sources, { seed, signal, previews: flags.preview ?? false });
    const { warnings, timings } = await writeImages(task, group.flat(), flags);
    report.warnings.push(...warnings);
    for (const stage of Object.keys(timings) as (keyof typeof timings)[]) {
      report.timings[stage] += timings[stage];
    }
  }
  return report;
}

/** Groups of sources that one call can make: their images have the same seeds. Each source has its targets. */
function groupsOf(targets: readonly Target[], sourcesPerCall: number): Target[][][] {
  const bySource = grouped(targets, ({ source }) => source);
  const bySeeds = grouped(bySource, (own) => own.map(({ seed }) => seed).join());
  return bySeeds.flatMap((sources) => chunks(sources, sourcesPerCall));
}

function grouped<T>(list: readonly T[], keyOf: (item: T) => unknown): T[][] {
  const groups = new Map<unknown, T[]>();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

async function writeImages(
  task: GenerationTask,
  targets: readonly Target[],
  flags: ImageFlags,
): Promise<Generation> {
  const progress = await openProgress(flags.preview ?? false);
  try {
    for await (const event of task) {
      if (event.type === 'step') await progress.show(event);
      else await writeImage(event.image, targets[event.index] as Target, flags);
    }
    return await task;
  } finally {
    progress.end();
  }
}

async function writeImage(
  image: KarloImage,
  { file }: Target,
  { force = false, quality, recipe, format }: ImageFlags,
): Promise<void> {
  const encoding = { recipe, ...defined({ quality }) };
  if (file !== stdoutFile) return image.toFile(file, { force, ...encoding });
  const bytes = await image.toBuffer(format, encoding);
  // An error of stdout ends the process, in main.ts.
  return new Promise((resolve) => {
    process.stdout.write(bytes, (error) => error ?? resolve());
  });
}

/** Why the image will differ from the one that the recipe describes. */
async function differences(recipe: Recipe, karlo: Karlo): Promise<string[]> {
  const { model, versions, device } = await karlo.provenance();
  if (recipe.model.sha256 !== model.sha256) {
    return [
      `the recipe was made with other weights (${recipe.model.name}): the image will be different`,
    ];
  }
  if (recipe.device !== device) {
    return [
      `the recipe was made on another kind of device (${recipe.device}): the image may differ slightly`,
    ];
  }
  if (recipe.versions.libtorch === versions.libtorch) return [];
  return [
    `the recipe was made with LibTorch ${recipe.versions.libtorch}: the image may differ by 1/255`,
  ];
}

async function writeGrid(
  file: string,
  targets: readonly Target[],
  { force = false, quality }: ImageFlags,
): Promise<void> {
  const images = await Promise.all(
    targets.map(async (target) => new KarloImage(await decodeImage(target.file), target.seed)),
  );
  await KarloImage.grid(images).toFile(file, { force, ...defined({ quality }) });
}

function print(
  images: readonly WrittenImage[],
  grid: Grid | undefined,
  { warnings, ...report }: Report,
  { json = false }: ImageFlags,
): void {
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (json) {
    const files = { pictures: images, ...(grid && { grid: grid.file }) };
    console.log(JSON.stringify({ ...files, warnings, ...report }));
    return;
  }
  for (const { file, skipped } of [...images, ...(grid ? [grid] : [])]) {
    if (file !== stdoutFile) console.log(skipped ? `${file} (skipped: already exists)` : file);
  }
  // On stderr, because programs read the names of the files.
  console.error(closingLine(images, grid, report.timings.total));
}
