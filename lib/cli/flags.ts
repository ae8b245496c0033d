// Flags that several commands have. Those of the package's options follow from lib/options/descriptions.ts.
import { type Command, Option } from 'commander';
import { expected, KarloError } from '../errors.js';
import { findChecker, findModel, recordedModel } from '../hub/store/resolve.js';
import { formats, type ImageFormat, imageFormats, labelsOf } from '../images/formats.js';
import type { Recipe } from '../images/recipe.js';
import type { KarloOptions } from '../karlo.js';
import {
  loadOptions,
  type OptionDescription,
  type OptionTable,
  STAGES,
} from '../options/descriptions.js';
import { type Flag, flagLabel, flagsOf } from '../options/flags.js';
import { resolveLoadOptions } from '../options/resolve-load.js';
import { defaults, logFormats, logLevels } from '../serve/settings.js';
import {
  positive,
  queueName,
  redisUrl,
  seconds,
  toBytes,
  toNumber,
  toNumbers,
  toSeeds,
} from './flag-values.js';

/** What commands that write images take besides the package's options. */
export interface ImageFlags {
  readonly output: string;
  readonly format: ImageFormat;
  readonly quality?: number;
  readonly recipe: boolean;
  readonly marking: boolean;
  readonly grid?: boolean;
  readonly preview?: boolean;
  readonly from?: string;
  readonly draft?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The flag of an image whose recipe is repeated. The other one is for a command whose `--from` is a text. */
export type RecipeFlag = '--from' | '--recipe-from';

/** Adds a flag for each option of a table. */
export function addOptions(command: Command, table: OptionTable): Command {
  for (const flag of flagsOf(table)) {
    const option = toOption(flag);
    command.addOption(flag.option.includes('.') ? option.helpGroup('Stage options:') : option);
  }
  return command;
}

function toOption({ flag, description }: Flag): Option {
  const { kind } = description;
  const text = `${description.description}${notesOf(description)}`;
  switch (kind) {
    case 'boolean':
      return new Option(flag, text);
    case 'integer':
    case 'number':
      return new Option(`${flag} <number>`, text).argParser(toNumber);
    case 'seeds':
      return new Option(`${flag} <seeds>`, text).argParser(toSeeds);
    case 'bytes':
      return new Option(`${flag} <size>`, text).argParser(toBytes);
    case 'interval':
      return new Option(`${flag} <start,end>`, text).argParser(toNumbers);
    default:
      return new Option(
        `${flag} <${kind === 'text' || kind === 'respacing' ? 'text' : 'name'}>`,
        text,
      );
  }
}

/** What commander appends itself for options that it checks: `(choices: "fast", "default", default: "fast")`. */
function notesOf(description: OptionDescription): string {
  const notes = [valuesOf(description), defaultOf(description)].filter((note) => note !== '');
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`;
}

function valuesOf(description: OptionDescription): string {
  switch (description.kind) {
    case 'integer':
    case 'number':
      return description.range.join(' to ');
    case 'interval':
      return `two numbers, ${description.range.join(' to ')}`;
    case 'choice':
      return `choices: ${description.choices.map((choice) => `"${choice}"`).join(', ')}`;
    case 'seeds':
      return 'or a list such as 1,5,7';
    case 'bytes':
      return 'or with a unit, such as 4GB or 4GiB';
    default:
      return '';
  }
}

function defaultOf(description: OptionDescription): string {
  const { defaultLabel } = description;
  if (defaultLabel !== undefined) return `default: ${defaultLabel.replaceAll('`', '')}`;
  const hasDefault = 'default' in description && description.default !== undefined;
  return hasDefault ? `default: ${JSON.stringify(description.default)}` : '';
}

const lossyFormats = Object.values(formats).filter(({ lossy }) => lossy);

/** Adds what most commands that generate images share: drafts, recipes, files and the model. */
export function addImageOptions(command: Command, recipeFlag?: RecipeFlag): Command {
  command.option('--draft', 'write drafts, which karlo finish enlarges: end after the decoder');
  return addRecipeOptions(command, recipeFlag);
}

/** Adds the same for commands that cannot write drafts. */
export function addRecipeOptions(command: Command, recipeFlag: RecipeFlag = '--from'): Command {
  command.option(
    `${recipeFlag} <image>`,
    'take options that are not given from the recipe in an image (default: none)',
  );
  return addOutputOptions(command);
}

/** Adds what all commands that write images share: files and the model. */
export function addOutputOptions(command: Command): Command {
  command
    .optionsGroup('Output options:')
    .option('-o, --output <path>', 'folder, or for a single image a file name or - for stdout', '.')
    .addOption(
      new Option('--format <format>', 'format of the files in a folder, or on stdout')
        .choices(imageFormats)
        .default('png'),
    )
    .option(
      '--quality <number>',
      `quality of ${labelsOf(lossyFormats)} (1 to 100, default: 90)`,
      toNumber,
    )
    .option('--grid', 'also write a grid of all images')
    .option('--no-recipe', 'do not store the recipe in the files')
    .option('--no-marking', 'do not mark the files as generated')
    .option('--force', 'overwrite existing files')
    .option('--preview', 'show previews in the terminal (kitty, iTerm2, WezTerm or sixel)')
    .option('--json', 'print one JSON object')
    .optionsGroup('Model options:');
  return addOptions(command, loadOptions);
}

/** Adds what `karlo serve` and `karlo worker` share: results, the log and the model. */
export function addServerOptions(command: Command): Command {
  command
    .option('--queue-name <name>', 'name of the queue in Redis', queueName, 'karlo')
    .option(
      '--results <place>',
      'store images in a shared folder or in s3://BUCKET/PREFIX (default: in Redis with --queue, else in memory)',
    )
    .option(
      '--result-time <seconds>',
      'how long images are stored',
      seconds,
      defaults.resultSeconds,
    )
    .addOption(
      new Option('--log-level <level>', 'least severe level that is logged')
        .choices(logLevels)
        .default(defaults.logLevel),
    )
    .addOption(
      new Option('--log-format <format>', 'how the log is written; auto is pretty on a terminal')
        .choices(logFormats)
        .default('auto'),
    )
    .optionsGroup('Model options:');
  return addOptions(command, serverLoadOptions).option(
    '--batch-size <number>',
    'number of images, of all requests, that go through the networks together',
    positive,
    1,
  );
}

/** The options of `Karlo.load` that servers have. */
export const serverLoadOptions = pickServerOptions();

function pickServerOptions() {
  const { model, device, dtype, threads, trustGraphs, safety, onUnsafe } = loadOptions;
  return { model, device, dtype, threads, trustGraphs, safety, onUnsafe } as const;
}

/** The values of their flags. */
export type ServerLoadFlags = Pick<KarloOptions, keyof typeof serverLoadOptions>;

/**
 * The options to load a server's model with.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for `--on-unsafe` without a check
 */
export function serverLoadOptionsOf(flags: object): KarloOptions {
  const options = optionsOf(serverLoadOptions, flags) as KarloOptions;
  requireCheck(options);
  return options;
}

function requireCheck({ safety, onUnsafe }: KarloOptions): void {
  if (onUnsafe === undefined || safety !== undefined) return;
  throw expected(
    'a safety checker',
    '--safety',
    undefined,
    'without one, --on-unsafe has no effect',
  );
}

/** `--queue`. A URL with a password is safer in the environment than on the command line. */
export function queueOption(description: string): Option {
  return new Option('--queue <url>', description).env('KARLO_QUEUE').argParser(redisUrl);
}

/** The options of a table that were given on the command line. */
export function optionsOf(table: OptionTable, flags: object): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const { option, flag } of flagsOf(table)) {
    const value = (flags as Record<string, unknown>)[new Option(flag).attributeName()];
    if (value === undefined) continue;
    const [name = '', inner] = option.split('.');
    options[name] = inner === undefined ? value : { ...(options[name] as object), [inner]: value };
  }
  return options;
}

/** The option that `--draft` sets. */
export function stopOf({ draft }: Pick<ImageFlags, 'draft'>): { stopAfter?: 'decoder' } {
  return draft ? { stopAfter: 'decoder' } : {};
}

/** The options to load the model with: those given, then those of the recipe. */
export async function loadOptionsOf(
  command: Command,
  flags: object,
  recipe: Recipe | undefined,
): Promise<KarloOptions> {
  const fromFlags = optionsOf(loadOptions, flags) as KarloOptions;
  checked(command, () => requireCheck(fromFlags));
  const recorded = recipe && {
    dtype: recipe.dtype,
    ...(recipe.device === 'cpu' && { device: 'cpu' }),
  };
  const options = { ...recorded, ...fromFlags };
  // Before LibTorch, which may be missing as well.
  if (fromFlags.model) await findModel(fromFlags.model);
  if (typeof fromFlags.safety === 'string') await findChecker(fromFlags.safety);
  // While LibTorch opens on another thread, this imports what loading needs. Opening the device waits for LibTorch.
  const { resolvePlacement } = await import('../pipeline/load.js');
  checked(command, () => resolvePlacement(resolveLoadOptions(options, flagLabel), flagLabel));
  if (recipe === undefined || fromFlags.model !== undefined) return options;
  return { ...options, model: await recordedModel(recipe.model.name) };
}

/** Runs a check; an invalid argument is a usage error of the command. */
export function checked<T>(command: Command, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (isInvalidArgument(error)) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Flags whose limits depend on the model, as messages name them. */
const modelLimits = new RegExp(
  ` for --((?:${STAGES.join('|')})-[a-z-]+|steps|batch-size|memory-budget)\\b`,
);

/** The same for what only a loaded model can check. */
export function throwUsageError(command: Command, error: unknown): never {
  if (isInvalidArgument(error) && modelLimits.test(error.message)) {
    command.error(`error: ${error.message}`);
  }
  throw error;
}

function isInvalidArgument(error: unknown): error is KarloError {
  return error instanceof KarloError && error.code === 'ERR_KARLO_INVALID_ARGUMENT';
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** An object without its undefined values. */
export function defined<T extends object>(options: T): Defined<T> {
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Defined<T>;
}
