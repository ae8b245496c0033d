import { randomInt } from 'node:crypto';
import { expected, invalidArgument } from '../errors.js';
import { type CheckedOptions, checkOptions } from './check-options.js';
import {
  finishOptions,
  generationOptions,
  type ImageFit,
  imageInputOptions,
  type imageVariationOptions,
  type OptionTable,
  optionsOfStage,
  type StageOption,
  taskOptions,
  type textToImageOptions,
} from './descriptions.js';
import { resolveStages, type StageSettings, type StepLimits } from './resolve-stages.js';
import { seedOfImage } from './seeds.js';
import type { RecordedGenerationOptions } from './types.generated.js';
import {
  identityLabel,
  integer,
  knownOptions,
  labelOf,
  type OptionLabeler,
  type RawOptions,
  type Scope,
} from './validate.js';

/** A table's options with their defaults: stages as {@link StageSettings}, other options as they are. */
export type ResolvedOptions<T extends OptionTable> = CheckedOptions<T> & {
  readonly [K in keyof T as T[K] extends StageOption ? K : never]: StageSettings;
};

/** The options of either task, complete. */
export interface ResolvedGeneration extends ResolvedOptions<typeof generationOptions> {
  /** The seeds of the `count` images, the same for every prompt. */
  readonly seeds: readonly number[];
}

export interface ResolvedTextToImage
  extends ResolvedGeneration,
    ResolvedOptions<typeof textToImageOptions> {
  readonly prompts: readonly string[];
}

export interface ResolvedImageVariation
  extends ResolvedGeneration,
    ResolvedOptions<typeof imageVariationOptions> {}

/** What the loaded model and the caller determine. */
export interface ResolveContext extends StepLimits {
  /** The model's default for `fit`; undefined without preprocessing. */
  readonly fit?: ImageFit | undefined;
  /** The largest batch that fits into a memory budget. */
  readonly largestBatch?: number | undefined;
  /** How messages refer to an option; by default, by its API name. */
  readonly label?: OptionLabeler;
}

/**
 * Checks the arguments of `textToImage` and adds the defaults.
 *
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function resolveTextToImage(
  prompt: unknown,
  options?: unknown,
  context: ResolveContext = {},
): ResolvedTextToImage {
  const prompts = promptList(prompt, { path: '', label: context.label ?? identityLabel });
  return { ...resolveOptions(taskOptions.textToImage, options, context), prompts };
}

/**
 * Checks the options of `imageVariation` and adds the defaults. The images are checked when they are
 * decoded.
 *
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function resolveImageVariation(
  options?: unknown,
  context: ResolveContext = {},
): ResolvedImageVariation {
  return resolveOptions(taskOptions.imageVariation, options, context);
}

/** How drafts become images: the options of `karlo.finish`, completed from those that a draft records. */
export type ResolvedFinish = Pick<
  ResolvedGeneration,
  'upsample' | 'batchSize' | 'previews' | 'safety' | 'onUnsafe' | 'signal'
>;

const { sampling, upsample } = generationOptions;

/**
 * Checks the options of `karlo.finish` and completes them from those that a draft records.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function resolveFinish(
  options: unknown,
  recorded: Pick<RecordedGenerationOptions, 'sampling' | 'upsample' | 'batchSize'>,
  context: ResolveContext = {},
): ResolvedFinish {
  const scope = { path: '', label: context.label ?? identityLabel };
  const name = labelOf(scope, 'options');
  const raw = knownOptions(options, Object.keys(finishOptions), name, scope);
  const fromDraft = { sampling: recorded.sampling, upsample: recorded.upsample };
  const batchSize = raw.batchSize ?? recorded.batchSize;
  const table = { ...finishOptions, sampling, upsample, batchSize: generationOptions.batchSize };
  return resolveOptions(table, { ...raw, ...fromDraft, batchSize }, context);
}

/** The prompts of a call. */
export function promptList(prompt: unknown, scope: Scope): string[] {
  const prompts: unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  if (prompts.length === 0)
    throw expected('string or non-empty array of strings', labelOf(scope, 'prompt'), prompt);
  // Array.from, because map skips the holes of a sparse array.
  return Array.from(prompts, (one, i) => {
    const name = Array.isArray(prompt) ? `prompt[${i}]` : 'prompt';
    if (typeof one === 'string') return one;
    throw expected(
      Array.isArray(prompt) ? 'string' : 'string or array of strings',
      labelOf(scope, name),
      one,
    );
  });
}

/**
 * Checks the options of a method that generates images, and adds the defaults.
 * @param count of seeds, if it is not an option
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function resolveOptions<T extends OptionTable>(
  table: T,
  options: unknown,
  context: ResolveContext,
  count?: number,
): ResolvedGeneration & ResolvedOptions<T> {
  const scope = { path: '', label: context.label ?? identityLabel };
  const name = labelOf(scope, 'options');
  const raw = knownOptions(options, Object.keys(table), name, scope, stageOptionNames(table));
  const seeds = seedList(count === undefined ? raw : { ...raw, count }, scope);
  const batchSize = batchSizeOf(seeds.length, context);
  const simple = checkOptions({ ...table, ...fitOf(table, context), batchSize }, raw, scope);
  const stages = resolveStages(table, raw, scope, context);
  const resolved: unknown = { ...simple, ...stages, count: seeds.length, seeds };
  return resolved as ResolvedGeneration & ResolvedOptions<T>;
}

/** The option `fit`, if there is one, with the model's default. */
function fitOf(table: OptionTable, { fit }: ResolveContext): OptionTable {
  if (!('fit' in table)) return {};
  return { fit: { ...imageInputOptions.fit, default: fit ?? 'cover' } };
}

/** `decoder.steps` and the like, for users who write `steps` at the top. */
function stageOptionNames(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([stage, description]) => {
    if (description.kind !== 'stage') return [];
    return Object.keys(optionsOfStage(description)).map((name) => `${stage}.${name}`);
  });
}

function batchSizeOf(count: number, { largestBatch }: ResolveContext) {
  const { batchSize } = generationOptions;
  if (largestBatch === undefined) return batchSize;
  const range = [batchSize.range[0], largestBatch] as const;
  return { ...batchSize, range, default: Math.min(count, largestBatch) };
}

function seedList(raw: RawOptions, scope: Scope): number[] {
  const { seed } = raw;
  const { range } = generationOptions.seed;
  const name = labelOf(scope, 'seed');
  const count = integer(
    raw.count,
    generationOptions.count.range,
    labelOf(scope, 'count'),
    undefined,
  );
  if (Array.isArray(seed)) return eachSeed(seed, count, scope);
  if (seed !== undefined && typeof seed !== 'number')
    throw expected(`integer between 0 and ${range[1]}, or an array of these,`, name, seed);
  if (seed !== undefined && seed < 0)
    throw expected(
      `integer between 0 and ${range[1]}`,
      name,
      seed,
      `without ${name}, it is random`,
    );
  const first = integer(seed, range, name, undefined) ?? randomInt(2 ** 32);
  return Array.from({ length: count ?? 1 }, (_, j) => seedOfImage(first, j));
}

function eachSeed(seeds: readonly unknown[], count: number | undefined, scope: Scope): number[] {
  const { range } = generationOptions.seed;
  const maxCount = generationOptions.count.range[1];
  const length = count ?? seeds.length;
  if (seeds.length !== length || length < 1 || length > maxCount) {
    const what =
      count === undefined
        ? `array of 1 to ${maxCount} seeds`
        : `array of ${count} seeds, because count is ${count},`;
    const message = `Expected ${what} for ${labelOf(scope, 'seed')} but received ${seeds.length}`;
    throw invalidArgument(message);
  }
  return Array.from(seeds, (seed, j) => {
    const name = labelOf(scope, `seed[${j}]`);
    if (seed === undefined) throw expected(`integer between 0 and ${range[1]}`, name, seed);
    return integer(seed, range, name, 0);
  });
}
