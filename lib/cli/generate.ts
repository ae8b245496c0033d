import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import cliProgress from 'cli-progress';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { interruptible } from '../../scripts/libtorch/interruptible.mjs';
import { KarloError } from '../errors.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import type { StageOptions, TextToImageOptions } from '../options.js';
import type { GenerationEvent, GenerationTask } from '../task.js';

interface Flags extends Pick<KarloOptions, 'model' | 'device' | 'dtype' | 'threads'> {
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

/** `karlo "<prompt>"`: pictures of a prompt. */
export function addGenerate(program: Command): void {
  program
    .command('generate', { isDefault: true })
    .description('make pictures of a prompt')
    .argument('<prompt>')
    .option('-n, --count <number>', 'pictures', toNumber)
    .option(
      '--seed <integer>',
      'the first picture’s seed, 0 to 2^32 - 1; random if absent',
      toNumber,
    )
    .addOption(new Option('--sampling <preset>', 'steps').choices(['fast', 'default']))
    .option('--batch-size <number>', 'pictures that go through the networks at once', toNumber)
    .option('--prior-steps <number>', 'steps of the prior', toNumber)
    .option('--prior-guidance <scale>', 'guidance scale of the prior', toNumber)
    .option('--decoder-steps <number>', 'steps of the decoder', toNumber)
    .option('--decoder-guidance <scale>', 'guidance scale of the decoder', toNumber)
    .option('--upsample-steps <number>', 'steps of super-resolution', toNumber)
    .option('-o, --output <path>', 'a folder, or a file name for one picture', '.')
    .option('--force', 'overwrite')
    .option('--model <name>', 'karlo-tiny, or a model folder')
    .option('--device <device>', 'auto, cpu, cuda or cuda:N')
    .option('--dtype <dtype>', 'auto, float32, bfloat16 or float16')
    .option('--threads <number>', 'threads that compute', toNumber)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart on a white background"
  karlo "a blue star" -n 4 --seed 0 --sampling default --output out/
  karlo "a green ring on a black background" -o ring.webp`,
    )
    .action(generate);
}

function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number))
    throw new InvalidArgumentError('Expected a number.');
  return number;
}

async function generate(prompt: string, flags: Flags): Promise<void> {
  const { model, device, dtype, threads } = flags;
  await using karlo = await Karlo.load(defined({ model, device, dtype, threads }));
  const options = optionsOf(flags);
  await interruptible(async (signal) => {
    const task = karlo.textToImage(prompt, { ...options, signal });
    await showProgress(task);
    const { images, seeds, warnings, timings } = await task;
    for (const warning of warnings) console.error(`warning: ${warning}`);
    const paths = pathsFor(prompt, seeds, flags.output);
    checkFree(paths, flags.force ?? false);
    for (const [i, image] of images.entries()) {
      await image.toFile(paths[i] as string, { force: flags.force ?? false });
    }
    if (flags.json) console.log(JSON.stringify({ prompt, seeds, files: paths, warnings, timings }));
    else for (const path of paths) console.log(path);
  });
}

function optionsOf(flags: Flags): TextToImageOptions {
  const stage = (steps?: number, guidanceScale?: number): StageOptions =>
    defined({ steps, guidanceScale });
  const { count, seed, sampling, batchSize } = flags;
  return {
    ...defined({ count, seed, sampling, batchSize }),
    prior: stage(flags.priorSteps, flags.priorGuidance),
    decoder: stage(flags.decoderSteps, flags.decoderGuidance),
    upsample: stage(flags.upsampleSteps),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is absent, which is not the same as undefined. */
function defined<T extends object>(options: T): Defined<T> {
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Defined<T>;
}

/** `a-red-heart-0.png` in a folder, or the file that was named. */
function pathsFor(prompt: string, seeds: readonly number[], output: string): string[] {
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
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['picture'];
  const name = words.join('-').slice(0, 60);
  return seeds.map((seed) => join(output, `${name}-${seed}.png`));
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
  let stage: string | undefined;
  const show = (event: Extract<GenerationEvent, { type: 'step' }>) => {
    if (stage !== event.stage) {
      bar.stop();
      bar.start(event.steps, event.step, { stage: event.stage.padEnd(8) });
      stage = event.stage;
    } else bar.update(event.step);
  };
  try {
    for await (const event of task) if (event.type === 'step') show(event);
  } finally {
    bar.stop();
  }
}
