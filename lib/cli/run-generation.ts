import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { invalidArgument } from '../errors.js';
import { decodeImage } from '../images/decode.js';
import { qualityRange } from '../images/encode.js';
import { formatOf, formatOfFile } from '../images/formats.js';
import { KarloImage } from '../images/karlo-image.js';
import { readMarking } from '../images/read-marking.js';
import { sourceTypeNamed } from '../images/source-type.js';
import { integer } from '../options/validate.js';
import { closingLine, type WrittenImage } from './closing-line.js';
import { checked, defined, type ImageFlags, throwUsageError } from './flags.js';
import {
  gridFileOf,
  prepareFolders,
  requireNewFiles,
  stdoutFile,
  type Target,
} from './output-files.js';
import {
  emptyReport,
  type GenerationPlan,
  type Report,
  runCalls,
  type StartGeneration,
} from './run-calls.js';
import { interruptible } from './terminal/interruptible.js';
import { printJson, printLine, reportLine } from './terminal/output.js';

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
    const { output: path, format, draft: isDraft = false } = flags;
    const targets = plan.targets({ path, format, isDraft });
    if (isDraft) requirePng(targets, flags);
    return targets;
  });
  const files = targets.map(({ file }) => file).filter((file) => file !== stdoutFile);
  const resumed = plan.resume ? files.filter((file) => existsSync(file)) : [];
  const missing = targets.filter(({ file }) => !resumed.includes(file));
  const grid = flags.grid ? gridOf(targets, plan.resume && missing.length === 0) : undefined;
  const made = files.filter((file) => !resumed.includes(file));
  if (!flags.force) requireNewFiles(grid && !grid.skipped ? [...made, grid.file] : made);
  prepareFolders(files);
  const report = await interruptible(async (signal) => {
    const write = (image: KarloImage, target: Target) => writeImage(image, target, flags);
    const calls = { plan, targets: missing, flags, start, signal, write };
    const made = missing.length > 0 ? await runCalls(calls) : emptyReport();
    if (grid && !grid.skipped) await writeGrid(grid.file, targets, flags);
    signal.throwIfAborted();
    return made;
  }).catch((error) => throwUsageError(command, error));
  const images = targets.map((target) => ({
    file: target.file,
    of: plan.names[target.source],
    seed: target.seed,
    ...report.made.get(target),
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

/** Only PNG can hold a draft, and only with its recipe. */
function requirePng([target]: readonly Target[], { format, recipe }: ImageFlags): void {
  const name = formatOfFile(target?.file ?? '') ?? format;
  if (name !== 'png') {
    throw invalidArgument(
      `Expected png for the format of drafts with --draft but received ${name}`,
    );
  }
  if (!recipe) {
    throw invalidArgument('Expected either --draft or --no-recipe: drafts need their recipe');
  }
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

async function writeImage(
  image: KarloImage,
  { file }: Target,
  { force = false, quality, recipe, marking, format }: ImageFlags,
): Promise<void> {
  const encoding = { recipe, marking, ...defined({ quality }) };
  if (file !== stdoutFile) return image.toFile(file, { force, ...encoding });
  const bytes = await image.toBuffer(format, encoding);
  // An error of stdout ends the process, in main.ts.
  return new Promise((resolve) => {
    process.stdout.write(bytes, (error) => error ?? resolve());
  });
}

async function writeGrid(
  file: string,
  targets: readonly Target[],
  { force = false, quality, marking }: ImageFlags,
): Promise<void> {
  const images = await Promise.all(targets.map(readCell));
  await KarloImage.grid(images).toFile(file, { force, marking, ...defined({ quality }) });
}

async function readCell({ file, seed }: Target): Promise<KarloImage> {
  const marking = await readMarking(file);
  return new KarloImage(
    await decodeImage(file),
    seed,
    undefined,
    sourceTypeNamed(marking?.digitalSourceType),
  );
}

function print(
  images: readonly WrittenImage[],
  grid: Grid | undefined,
  { warnings, made: _, ...report }: Report,
  { json = false }: ImageFlags,
): void {
  for (const warning of warnings) reportLine(`warning: ${warning}`);
  if (json) {
    const files = { pictures: images, ...(grid && { grid: grid.file }) };
    printJson({ ...files, warnings, ...report });
    return;
  }
  for (const { file, skipped } of [...images, ...(grid ? [grid] : [])]) {
    if (file !== stdoutFile) printLine(skipped ? `${file} (skipped: already exists)` : file);
  }
  // On stderr, because programs read the names of the files.
  reportLine(closingLine(images, grid, report.timings.total));
}
