import { randomInt } from 'node:crypto';
import { expected, invalidArgument } from '../errors.js';
import { type CheckedOptions, checkOptions } from './check-options.js';
import {
  generationOptions,
  type ImageFit,
  imageVariationOptions,
  type OptionTable,
  optionsOfStage,
  type StageName,
  type StageOption,
  stageOptions,
  taskOptions,
  type textToImageOptions,
} from './descriptions.js';
import { type Spacing, spacingFault } from './respacing.js';
import {
  identityLabel,
  integer,
  knownOptions,
  labelOf,
  type OptionLabeler,
  type RawOptions,
  type Scope,
} from './validate.js';

type StageTable = ReturnType<typeof optionsOfStage>;

/** The settings of one stage, complete. The guidance scale is 1 for stages without guidance. */
export interface StageSettings
  extends CheckedOptions<Omit<StageTable, 'steps' | 'timestepRespacing'>> {
  readonly spacing: Spacing;
}

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
export interface ResolveContext {
  /** Training timesteps of each stage (`num_train_timesteps`): the most steps it can take. */
  readonly trainSteps?: Readonly<Partial<Record<StageName, number>>>;
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
  return { ...resolve(taskOptions.textToImage, options, context), prompts };
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
  const fit = { ...imageVariationOptions.fit, default: context.fit ?? 'cover' };
  return resolve({ ...taskOptions.imageVariation, fit }, options, context);
}

function promptList(prompt: unknown, scope: Scope): string[] {
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

function resolve<T extends OptionTable>(
  table: T,
  options: unknown,
  context: ResolveContext,
): ResolvedGeneration & ResolvedOptions<T> {
  const scope = { path: '', label: context.label ?? identityLabel };
  const name = labelOf(scope, 'options');
  const raw = knownOptions(options, Object.keys(table), name, scope, stageOptionNames(table));
  const seeds = seedList(raw, scope);
  const batchSize = batchSizeOf(seeds.length, context);
  const simple = checkOptions({ ...table, batchSize }, raw, scope);
  const stages = resolveStages(table, raw, scope, context);
  const resolved: unknown = { ...simple, ...stages, count: seeds.length, seeds };
  return resolved as ResolvedGeneration & ResolvedOptions<T>;
}

/** `decoder.steps` and the like, for users who write `steps` at the top. */
function stageOptionNames(table: OptionTable): string[] {
  const stages = Object.keys(table).filter((name) => table[name]?.kind === 'stage');
  return stages.flatMap((stage) => Object.keys(stageOptions).map((name) => `${stage}.${name}`));
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
  return Array.from({ length: count ?? 1 }, (_, j) => (first + j) % 2 ** 32);
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

function resolveStages(
  table: OptionTable,
  all: RawOptions,
  outer: Scope,
  { trainSteps }: ResolveContext,
): Record<string, StageSettings> {
  const { sampling } = checkOptions({ sampling: generationOptions.sampling }, all, outer);
  const stages: Record<string, StageSettings> = {};
  for (const [name, description] of Object.entries(table)) {
    if (description.kind !== 'stage') continue;
    const scope = { ...outer, path: name };
    const raw = knownOptions(all[name], Object.keys(stageOptions), labelOf(outer, name), scope);
    const maxSteps = trainSteps?.[name as StageName] ?? stageOptions.steps.range[1];
    const preset = { steps: Math.min(description.steps[sampling], maxSteps) };
    const { steps: _, timestepRespacing: __, ...others } = optionsOfStage(description);
    const spacing = spacingOf(raw, scope, maxSteps) ?? preset;
    const stage = { spacing, ...checkOptions(others, raw, scope) };
    checkGuidance(stage, description, scope);
    stages[name] = stage;
  }
  return stages;
}

function spacingOf(raw: RawOptions, scope: Scope, trainSteps: number): Spacing | undefined {
  const { steps, timestepRespacing } = raw;
  const names = [labelOf(scope, 'steps'), labelOf(scope, 'timestepRespacing')] as const;
  if (steps !== undefined && timestepRespacing !== undefined) {
    const message = `Expected either ${names[0]} or ${names[1]} but received both`;
    throw invalidArgument(message);
  }
  if (steps === undefined && timestepRespacing === undefined) return undefined;
  const spacing = (steps === undefined ? { timestepRespacing } : { steps }) as Spacing;
  const fault = spacingFault(spacing, trainSteps);
  if (fault === undefined) return spacing;
  throw expected(fault, steps === undefined ? names[1] : names[0], steps ?? timestepRespacing);
}

function checkGuidance(
  { guidanceScale }: StageSettings,
  { hasGuidance }: StageOption,
  scope: Scope,
): void {
  if (hasGuidance || guidanceScale === 1) return;
  const name = labelOf(scope, 'guidanceScale');
  throw expected('1 (super-resolution has no guidance)', name, guidanceScale);
}
