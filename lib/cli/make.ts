import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import cliProgress from 'cli-progress';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { interruptible } from '../../scripts/libtorch/interruptible.mjs';
import { KarloError } from '../errors.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import type { StageOptions } from '../options.js';
import type { GenerationEvent, GenerationTask } from '../task.js';

/** What `karlo generate` and `karlo vary` share. */
export interface Flags extends Pick<KarloOptions, 'model' | 'device' | 'dtype' | 'threads'> {
  count?: number;
  seed?: number;
  sampling?: 'fast' | 'default';
  batchSize?: number;
  priorSteps?: number;
  priorGuidance?: number;
  decoderSteps?: number;
  decoderGuidance?: number;
  upsampleSteps?: number;
  output: string;
  force?: boolean;
  json?: boolean;
}

export function toOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

export function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number))
    throw new InvalidArgumentError('Expected a number.');
  return number;
}

/** Adds the options that both commands have. */
export function addSampling(command: Command): Command {
  return command
    .option('-n, --count <number>', 'pictures', toNumber)
    .option(
      '--seed <integer>',
      "the first picture's seed, 0 to 2^32 - 1; random if absent",
      toNumber,
    )
    .addOption(toOption('--sampling <preset>', 'steps', ['fast', 'default']))
    .option('--batch-size <number>', 'pictures that go through the networks at once', toNumber)
    .option('--decoder-steps <number>', 'steps of the decoder', toNumber)
    .option('--decoder-guidance <scale>', 'guidance scale of the decoder', toNumber)
    .option('--upsample-steps <number>', 'steps of super-resolution', toNumber)
    .option('-o, --output <path>', 'a folder, or a file name for one picture', '.')
    .option('--force', 'overwrite')
    .option('--model <name>', 'karlo-tiny, or a model folder')
    .option('--device <device>', 'auto, cpu, cuda or cuda:N')
    .option('--dtype <dtype>', 'auto, float32, bfloat16 or float16')
    .option('--threads <number>', 'threads that compute', toNumber)
    .option('--json', 'print one JSON object');
}

/** The flags as options of the package; what was not given is left out. */
export function samplingOf(flags: Flags) {
  const { count, seed, batchSize, sampling } = flags;
  return {
    ...defined({ count, seed, batchSize }),
    sampling: defined({ sampling }),
    decoder: stage(flags.decoderSteps, flags.decoderGuidance),
    upsample: stage(flags.upsampleSteps),
  };
}

export function stage(steps?: number, guidanceScale?: number): StageOptions {
  return defined({ steps, guidanceScale });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Options without those that were not given. */
export function defined<T extends object>(options: T): Defined<T> {
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Defined<T>;
}

/** Loads the model, makes the pictures and writes them, each under `name` and its seed. */
export async function make(
  name: string,
  flags: Flags,
  start: (karlo: Karlo, signal: AbortSignal) => GenerationTask,
): Promise<void> {
  const { model, device, dtype, threads, force = false } = flags;
  await using karlo = await Karlo.load(defined({ model, device, dtype, threads }));
  await interruptible(async (signal) => {
    const task = start(karlo, signal);
    await showProgress(task);
    const { images, seeds, warnings, timings } = await task;
    for (const warning of warnings) console.error(`warning: ${warning}`);
    const files = pathsFor(name, seeds, flags.output);
    checkFree(files, force);
    for (const [i, image] of images.entries()) await image.toFile(files[i] as string, { force });
    if (flags.json) console.log(JSON.stringify({ name, seeds, files, warnings, timings }));
    else for (const file of files) console.log(file);
  });
}

/** `a-red-heart-0.png` in a folder, or the file that was named. */
function pathsFor(name: string, seeds: readonly number[], output: string): string[] {
  const isFolder = extname(output) === '' || (existsSync(output) && statSync(output).isDirectory());
  if (!isFolder && seeds.length === 1) {
    mkdirSync(dirname(output), { recursive: true });
    return [output];
  }
  if (!isFolder) {
    const message = `Expected a folder for --output with ${seeds.length} pictures but received '${output}'`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  mkdirSync(output, { recursive: true });
  const words = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['picture'];
  return seeds.map((seed) => join(output, `${words.join('-').slice(0, 60)}-${seed}.png`));
}

function checkFree(paths: readonly string[], force: boolean): void {
  const taken = force ? undefined : paths.find((path) => existsSync(path));
  if (taken === undefined) return;
  const message = `Expected a new file but ${taken} is there already: pass --force to overwrite it`;
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}

/** A bar a stage, on a terminal's stderr. */
async function showProgress(task: GenerationTask): Promise<void> {
  if (!process.stderr.isTTY) return;
  const bar = new cliProgress.SingleBar({
    format: '{stage} [{bar}] {value}/{total}  {eta_formatted} left',
    stream: process.stderr,
    hideCursor: true,
  });
  let stageShown: string | undefined;
  const show = (event: Extract<GenerationEvent, { type: 'step' }>) => {
    if (stageShown !== event.stage) {
      bar.stop();
      bar.start(event.steps, event.step, { stage: event.stage.padEnd(8) });
      stageShown = event.stage;
    } else bar.update(event.step);
  };
  try {
    for await (const event of task) if (event.type === 'step') show(event);
  } finally {
    bar.stop();
  }
}
