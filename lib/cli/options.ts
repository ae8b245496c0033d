import { type Command, InvalidArgumentError, Option } from 'commander';
import { KarloError } from '../errors.js';
import { findModel, recordedModel } from '../hub/store/resolve.js';
import { type ImageFormat, imageFormats } from '../images/encode.js';
import type { Recipe } from '../images/recipe.js';
import type { KarloOptions } from '../karlo.js';
import type { StageOptions } from '../options/generation.js';
import { resolveLoad } from '../options/load.js';
import { flagOf } from './flag-names.js';

type StageName = 'prior' | 'decoder' | 'upsample';

/** What `karlo generate` and `karlo vary` share. */
export interface Flags
  extends Pick<
    KarloOptions,
    'model' | 'device' | 'dtype' | 'threads' | 'residency' | 'memoryBudget'
  > {
  count?: number;
  seed?: number | number[];
  sampling?: 'fast' | 'default';
  batchSize?: number;
  priorSteps?: number;
  priorTimestepRespacing?: string;
  priorGuidance?: number;
  decoderSteps?: number;
  decoderTimestepRespacing?: string;
  decoderGuidance?: number;
  upsampleSteps?: number;
  upsampleTimestepRespacing?: string;
  output: string;
  format: ImageFormat;
  quality?: number;
  recipe: boolean;
  grid?: boolean;
  preview?: boolean;
  from?: string;
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

/** Bytes, or a number of MB or GB (10^6 and 10^9 bytes). */
function toBytes(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)\s*([MG]B)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Expected a size such as 4GB or 512MB.');
  return toNumber(number) * ({ MB: 1e6, GB: 1e9 }[unit.toUpperCase()] ?? 1);
}

/** One seed, or several with commas between. */
function toSeeds(text: string): number | number[] {
  const seeds = text.split(',').map(toNumber);
  return seeds.length === 1 ? (seeds[0] as number) : seeds;
}

/** Adds a loop's flags. */
export function addStage(command: Command, stage: StageName): Command {
  command
    .option(
      `--${stage}-steps <number>`,
      `steps of ${stage === 'upsample' ? 'super-resolution' : `the ${stage}`}`,
      toNumber,
    )
    .option(`--${stage}-timestep-respacing <text>`, 'its steps as "25", "10,10,5" or "ddim25"');
  if (stage === 'upsample') return command;
  return command.option(`--${stage}-guidance <scale>`, 'its guidance scale, 0 to 30', toNumber);
}

/** Adds the options that both commands have. */
export function addSampling(command: Command): Command {
  command
    .option('-n, --count <number>', 'pictures of each', toNumber)
    .option('--seed <integer>', 'of the first picture, or a list: 1,5,7; random if absent', toSeeds)
    .addOption(toOption('--sampling <preset>', 'steps', ['fast', 'default']));
  addStage(addStage(command, 'decoder'), 'upsample');
  return command
    .option('--batch-size <number>', 'pictures that go through the networks at once', toNumber)
    .option('--from <picture>', 'take what is not given here from the recipe in a picture')
    .option('-o, --output <path>', 'a folder, or a file name for one picture', '.')
    .addOption(toOption('--format <format>', 'in a folder', imageFormats).default('png'))
    .option('--quality <number>', '1 to 100, for JPEG, WebP and AVIF', toNumber)
    .option('--grid', 'write all pictures as one besides')
    .option('--preview', 'show the picture as it grows (kitty, iTerm2, WezTerm, sixel)')
    .option('--no-recipe', 'leave out of the picture what repeats it')
    .option('--force', 'overwrite')
    .option('--model <name>', 'karlo-tiny, a pulled model, or a model folder')
    .option('--device <device>', 'auto, cpu, cuda or cuda:N')
    .option('--dtype <dtype>', 'auto, float32, bfloat16 or float16')
    .option('--threads <number>', 'threads that compute', toNumber)
    .addOption(toOption('--residency <way>', 'where weights are', ['resident', 'staged']))
    .option('--memory-budget <size>', 'for weights and work: 4GB, 512MB', toBytes)
    .option('--json', 'print one JSON object');
}

/** The flags as options of the package, over those of a recipe; what neither gives is left out. */
export function samplingOf(flags: Flags, recipe: Recipe | undefined) {
  const { count, batchSize, sampling } = flags;
  return {
    ...(recipe && { sampling: recipe.sampling, batchSize: recipe.batchSize }),
    ...defined({ count, batchSize, sampling }),
    ...defined({ seed: flags.seed ?? recipe?.seed }),
    decoder: stageOf('decoder', flags, recipe),
    upsample: stageOf('upsample', flags, recipe),
  };
}

/** One loop's options. Steps of the command line take the place of the recipe's, however spelt. */
export function stageOf(stage: StageName, flags: Flags, recipe: Recipe | undefined): StageOptions {
  const given = defined({
    steps: flags[`${stage}Steps`],
    timestepRespacing: flags[`${stage}TimestepRespacing`],
    guidanceScale: stage === 'upsample' ? undefined : flags[`${stage}Guidance`],
  });
  const recorded: Partial<Record<StageName, StageOptions>> = recipe ?? {};
  const { guidanceScale, ...spacing } = recorded[stage] ?? {};
  const respaced = 'steps' in given || 'timestepRespacing' in given || flags.sampling;
  return { ...(!respaced && spacing), ...defined({ guidanceScale }), ...given };
}

/** What the model is loaded with: the flags, then what a recipe was made with. */
export async function loadOptionsOf(
  command: Command,
  flags: Flags,
  recipe: Recipe | undefined,
): Promise<KarloOptions> {
  const { model, device, dtype, threads, residency, memoryBudget } = flags;
  const options = defined({
    ...(recipe && { dtype: recipe.dtype, ...(recipe.device === 'cpu' && { device: 'cpu' }) }),
    ...defined({ model, device, dtype, threads, residency, memoryBudget }),
  }) as KarloOptions;
  // Before LibTorch is looked for: that can be missing, too.
  if (model) await findModel(model);
  // As it opens on another thread, what loads a model is imported: the device waits for it.
  const { resolvePlacement } = await import('../pipeline/load.js');
  checked(command, () => resolvePlacement(resolveLoad(options, flagOf), flagOf));
  if (recipe === undefined || model !== undefined) return options;
  return { ...options, model: await recordedModel(recipe.model.name) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

export function defined<T extends object>(options: T): Defined<T> {
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Defined<T>;
}

/** Checks arguments: what is wrong with them is wrong usage. */
export function checked<T>(command: Command, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const isWrong = error instanceof KarloError && error.code === 'ERR_KARLO_INVALID_ARGUMENT';
    if (isWrong) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Options whose bounds hang on the model. */
const ofModel = / for ((?:prior|decoder|upsample)\.\w+|batchSize|memoryBudget)\b/;

/** The same of what only a loaded model can check, which names options as in a program. */
export function wrongOption(command: Command, error: unknown): never {
  const isWrong = error instanceof KarloError && error.code === 'ERR_KARLO_INVALID_ARGUMENT';
  if (isWrong && ofModel.test(error.message)) {
    const named = error.message.replace(ofModel, (_, option) => ` for ${flagOf(option)}`);
    command.error(`error: ${named}`);
  }
  throw error;
}
