import { randomInt } from 'node:crypto';
import { expected, KarloError } from '../errors.js';
import { type Spacing, spacingFault } from './respacing.js';
import {
  asWritten,
  type Bag,
  bag,
  boolean,
  integer,
  type Naming,
  named,
  number,
  oneOf,
  type Scope,
  signal,
} from './validate.js';

/** How one stage samples. What is left out, the preset of `sampling` has. */
export interface StageOptions {
  /** Number of steps, 1 to 1000, spaced as diffusers does. Not together with `timestepRespacing`. */
  readonly steps?: number;
  /** Steps as the original program spaces them: "25", "10,10,5", "ddim25", "fast27". */
  readonly timestepRespacing?: string;
  /**
   * Classifier-free guidance, 0 to 30: 0 is the unconditional half alone, exactly 1 skips that half,
   * more than 1 goes beyond the prompt. Super-resolution has none, so there only 1 is accepted.
   */
  readonly guidanceScale?: number;
}

/** Options that both kinds of generation have. */
export interface GenerationOptions {
  /** Pictures for each prompt or image, 1 to 1000; by default 1, or the length of a list of seeds. */
  readonly count?: number;
  /**
   * 0 to 2^32 - 1. Picture j of each prompt uses `seed + j` (modulo 2^32), or `seed[j]` of a list as
   * long as `count`. Random if absent.
   */
  readonly seed?: number | readonly number[];
  /** `'fast'` (the default): prior 25, decoder 25, upsample 7 steps; `'default'`: decoder 50. */
  readonly sampling?: 'fast' | 'default';
  /** The stage that draws the small picture. */
  readonly decoder?: StageOptions;
  /** The stage that makes it large. */
  readonly upsample?: StageOptions;
  /**
   * Pictures that go through the networks at once, 1 to 1000; by default 1, or as many of `count` as
   * fit into the model's `memoryBudget`. More is faster and takes more memory. Batches are always
   * full: the last one is filled up, and what fills it is dropped.
   */
  readonly batchSize?: number;
  /** Whether step events carry the predicted x0 as pictures; false by default. */
  readonly previews?: boolean;
  /** Aborts the run within one step. */
  readonly signal?: AbortSignal;
}

/** Options of `textToImage`. */
export interface TextToImageOptions extends GenerationOptions {
  /** The stage that makes an image embedding of the prompt. */
  readonly prior?: StageOptions;
}

/** Options of `imageVariation`. */
export interface ImageVariationOptions extends GenerationOptions {
  /**
   * How a picture becomes a square: `'cover'` crops the centre, `'fill'` squashes. By default as the
   * model's own program does: `'fill'` in the Kakao layout, else `'cover'`.
   */
  readonly fit?: 'cover' | 'fill';
}

/** One stage's settings, complete. */
export interface Stage {
  readonly spacing: Spacing;
  /** 1 where there is no guidance. */
  readonly guidanceScale: number;
}

/** What both kinds of generation come down to: nothing is left to default. */
export interface Resolved {
  readonly count: number;
  /** The seed of each of `count` pictures, the same for every prompt. */
  readonly seeds: readonly number[];
  readonly sampling: 'fast' | 'default';
  readonly decoder: Stage;
  readonly upsample: Stage;
  readonly batchSize: number;
  readonly previews: boolean;
  readonly signal: AbortSignal | undefined;
}

export interface ResolvedTextToImage extends Resolved {
  readonly prompts: readonly string[];
  readonly prior: Stage;
}

export interface ResolvedImageVariation extends Resolved {
  readonly fit: 'cover' | 'fill';
}

/** What the loaded model and the caller bring in. */
export interface ResolveContext {
  /** Training timesteps of each stage (`num_train_timesteps`): the most steps it can take. */
  readonly trainSteps?: {
    readonly prior?: number;
    readonly decoder?: number;
    readonly upsample?: number;
  };
  /** The model's own way to make a picture square. */
  readonly fit?: 'cover' | 'fill';
  /** Pictures that can go through the networks at once within a memory budget. */
  readonly largestBatch?: number | undefined;
  /** How messages name an option; as in a program by default. */
  readonly naming?: Naming;
}

/** Kakao Brain's two settings (steps of each stage) and the guidance scales of both. */
export const PRESETS = {
  fast: { prior: 25, decoder: 25, upsample: 7 },
  default: { prior: 25, decoder: 50, upsample: 7 },
} as const;
export const GUIDANCE = { prior: 4, decoder: 8, upsample: 1 } as const;

type StageName = keyof typeof GUIDANCE;

const SEED_RANGE = [0, 2 ** 32 - 1] as const;
const GUIDANCE_RANGE = [0, 30] as const;
export const COUNT_RANGE = [1, 1000] as const;
/** Training timesteps of the published models. */
const TRAIN_STEPS = 1000;
/** One picture at a time: its bytes then hang on its seed alone. */
const BATCH_SIZE = 1;

const SHARED = [
  'count',
  'seed',
  'sampling',
  'decoder',
  'upsample',
  'batchSize',
  'previews',
  'signal',
];
const STAGE = ['steps', 'timestepRespacing', 'guidanceScale'];
/** Full names of stage options, for whoever writes them at the top. */
const nested = (...stages: StageName[]) =>
  stages.flatMap((one) => STAGE.map((name) => `${one}.${name}`));

/**
 * Checks the arguments of `textToImage` and fills in what they leave out.
 *
 * @throws KarloError `ERR_KARLO_INVALID_ARGUMENT`
 */
export function resolveTextToImage(
  prompt: unknown,
  options?: unknown,
  context: ResolveContext = {},
): ResolvedTextToImage {
  const scope = { path: '', naming: context.naming ?? asWritten };
  const prompts = promptList(prompt, scope);
  const given = bag(
    options,
    [...SHARED, 'prior'],
    named(scope, 'options'),
    scope,
    nested('decoder', 'prior', 'upsample'),
  );
  return {
    prompts,
    ...shared(given, scope, context),
    prior: stage(given, 'prior', scope, context),
  };
}

/**
 * Checks the options of `imageVariation` and fills in what they leave out. The pictures themselves
 * are checked where they are decoded.
 *
 * @throws KarloError `ERR_KARLO_INVALID_ARGUMENT`
 */
export function resolveImageVariation(
  options?: unknown,
  context: ResolveContext = {},
): ResolvedImageVariation {
  const scope = { path: '', naming: context.naming ?? asWritten };
  const given = bag(
    options,
    [...SHARED, 'fit'],
    named(scope, 'options'),
    scope,
    nested('decoder', 'upsample'),
  );
  const fits = ['cover', 'fill'] as const;
  const fit = oneOf(given.fit, fits, named(scope, 'fit'), context.fit ?? 'cover');
  return { ...shared(given, scope, context), fit };
}

function promptList(prompt: unknown, scope: Scope): string[] {
  const prompts: unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  if (prompts.length === 0)
    throw expected('string or non-empty array of strings', named(scope, 'prompt'), prompt);
  // Not map, which would leave out the holes of a sparse array.
  return Array.from(prompts, (one, i) => {
    const name = Array.isArray(prompt) ? `prompt[${i}]` : 'prompt';
    if (typeof one === 'string') return one;
    throw expected(
      Array.isArray(prompt) ? 'string' : 'string or array of strings',
      named(scope, name),
      one,
    );
  });
}

function shared(given: Bag, scope: Scope, context: ResolveContext): Resolved {
  const name = (option: string) => named(scope, option);
  const sampling = samplingOf(given, scope);
  const seeds = seedList(given, scope);
  return {
    count: seeds.length,
    seeds,
    sampling,
    decoder: stage(given, 'decoder', scope, context),
    upsample: stage(given, 'upsample', scope, context),
    batchSize: batchSizeOf(given, seeds.length, scope, context),
    previews: boolean(given.previews, name('previews'), false),
    signal: signal(given.signal, name('signal')),
  };
}

function batchSizeOf(
  given: Bag,
  count: number,
  scope: Scope,
  { largestBatch }: ResolveContext,
): number {
  const range = [COUNT_RANGE[0], largestBatch ?? COUNT_RANGE[1]] as const;
  const absent = largestBatch === undefined ? BATCH_SIZE : Math.min(count, largestBatch);
  return integer(given.batchSize, range, named(scope, 'batchSize'), absent);
}

function samplingOf(given: Bag, scope: Scope): 'fast' | 'default' {
  return oneOf(given.sampling, ['fast', 'default'] as const, named(scope, 'sampling'), 'fast');
}

function seedList(given: Bag, scope: Scope): number[] {
  const { seed } = given;
  const name = named(scope, 'seed');
  const count = integer(given.count, COUNT_RANGE, named(scope, 'count'), undefined);
  if (Array.isArray(seed)) return eachSeed(seed, count, scope);
  if (seed !== undefined && typeof seed !== 'number')
    throw expected(`integer between 0 and ${SEED_RANGE[1]}, or an array of these,`, name, seed);
  const first = integer(seed, SEED_RANGE, name, undefined) ?? randomInt(2 ** 32);
  return Array.from({ length: count ?? 1 }, (_, j) => (first + j) % 2 ** 32);
}

function eachSeed(seeds: readonly unknown[], count: number | undefined, scope: Scope): number[] {
  const most = COUNT_RANGE[1];
  const length = count ?? seeds.length;
  if (seeds.length !== length || length < 1 || length > most) {
    const what =
      count === undefined
        ? `array of 1 to ${most} seeds`
        : `array of ${count} seeds, as count says,`;
    const message = `Expected ${what} for ${named(scope, 'seed')} but received ${seeds.length}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  return Array.from(seeds, (seed, j) => {
    const name = named(scope, `seed[${j}]`);
    if (seed === undefined) throw expected(`integer between 0 and ${SEED_RANGE[1]}`, name, seed);
    return integer(seed, SEED_RANGE, name, 0);
  });
}

function stage(all: Bag, which: StageName, outer: Scope, context: ResolveContext): Stage {
  const scope = { ...outer, path: which };
  const given = bag(all[which], STAGE, named(outer, which), scope);
  const most = context.trainSteps?.[which] ?? TRAIN_STEPS;
  const preset = { steps: Math.min(PRESETS[samplingOf(all, outer)][which], most) };
  const spacing = spacingOf(given, scope, most) ?? preset;
  return { spacing, guidanceScale: guidance(given, which, scope) };
}

function spacingOf(given: Bag, scope: Scope, trainSteps: number): Spacing | undefined {
  const { steps, timestepRespacing } = given;
  const names = [named(scope, 'steps'), named(scope, 'timestepRespacing')] as const;
  if (steps !== undefined && timestepRespacing !== undefined) {
    const message = `Expected either ${names[0]} or ${names[1]} but received both`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  if (steps === undefined && timestepRespacing === undefined) return undefined;
  const spacing = (steps === undefined ? { timestepRespacing } : { steps }) as Spacing;
  const fault = spacingFault(spacing, trainSteps);
  if (fault === undefined) return spacing;
  throw expected(fault, steps === undefined ? names[1] : names[0], steps ?? timestepRespacing);
}

function guidance(given: Bag, which: StageName, scope: Scope): number {
  const name = named(scope, 'guidanceScale');
  const scale = number(given.guidanceScale, GUIDANCE_RANGE, name, GUIDANCE[which]);
  if (which === 'upsample' && scale !== 1)
    throw expected('1 (super-resolution has no guidance)', name, scale);
  return scale;
}
