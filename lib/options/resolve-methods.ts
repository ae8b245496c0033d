// Checks the options of the methods that work with points in CLIP space, and with the decoder's noise.
import { expected, invalidArgument } from '../errors.js';
import {
  editOptions,
  embedImageOptions,
  embedTextOptions,
  invertOptions,
  methodOptions,
  type OptionTable,
  reconstructOptions,
  upscaleOptions,
} from './descriptions.js';
import {
  promptList,
  type ResolveContext,
  type ResolvedGeneration,
  type ResolvedOptions,
  resolveOptions,
} from './resolve-generation.js';
import type { StageSettings } from './resolve-stages.js';
import { spacingFault } from './respacing.js';
import { identityLabel, labelOf, type RawOptions } from './validate.js';

type Method = typeof methodOptions;
type Resolved<T extends OptionTable> = ResolvedGeneration & ResolvedOptions<T>;

export type ResolvedEmbedImage = Resolved<typeof embedImageOptions>;
export type ResolvedEmbedText = Resolved<typeof embedTextOptions>;
export type ResolvedFromEmbedding = Resolved<Method['fromEmbedding']>;
export type ResolvedMix = Resolved<Method['mix']>;
export type ResolvedInterpolate = Resolved<Method['interpolate']>;
export type ResolvedEdit = Resolved<Method['edit']>;
export type ResolvedReconstruct = Resolved<typeof reconstructOptions>;
export type ResolvedImageToImage = Resolved<Method['imageToImage']> & WithPrompts;
export type ResolvedInpaint = Resolved<Method['inpaint']> & WithPrompts;
export type ResolvedUpscale = Omit<Resolved<typeof upscaleOptions>, 'decoder'>;
export type ResolvedInvert = Resolved<typeof invertOptions>;

interface WithPrompts {
  readonly prompts: readonly string[];
}

const scopeOf = ({ label = identityLabel }: ResolveContext) => ({ path: '', label });

/** How DDIM runs backwards, and forwards again: without guidance and without new noise. */
export function unguidedDdim(spacing: StageSettings['spacing']): StageSettings {
  const unguided = { guidanceScale: 1, guidanceInterval: [0, 1], guidanceRescale: 0 } as const;
  return { ...unguided, spacing, sampler: { name: 'ddim', eta: 0 } };
}

export function resolveEmbedImage(
  options?: unknown,
  context: ResolveContext = {},
): ResolvedEmbedImage {
  return resolveOptions(embedImageOptions, options, context);
}

export function resolveEmbedText(
  options?: unknown,
  context: ResolveContext = {},
): ResolvedEmbedText {
  return resolveOptions(embedTextOptions, options, context);
}

export function resolveFromEmbedding(
  options?: unknown,
  context: ResolveContext = {},
): ResolvedFromEmbedding {
  return resolveOptions(methodOptions.fromEmbedding, options, context);
}

export function resolveMix(options?: unknown, context: ResolveContext = {}): ResolvedMix {
  return resolveOptions(methodOptions.mix, options, context);
}

/** The seeds are those of both ends, or one for all frames. */
export function resolveInterpolate(
  options?: unknown,
  context: ResolveContext = {},
): ResolvedInterpolate {
  const { noise } = (options ?? {}) as RawOptions;
  const seeds = noise === 'slerp' ? 2 : 1;
  return resolveOptions(methodOptions.interpolate, options, context, seeds);
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also without `from` and `to` */
export function resolveEdit(options?: unknown, context: ResolveContext = {}): ResolvedEdit {
  const settings = resolveOptions(methodOptions.edit, options, context);
  const scope = scopeOf(context);
  for (const name of ['from', 'to'] as const) {
    if (settings[name] !== undefined) continue;
    throw expected(
      'string',
      labelOf(scope, name),
      undefined,
      `it says ${editOptions[name].description}`,
    );
  }
  const { sampler } = settings.decoder;
  if (settings.noise && !(sampler.name === 'ddim' && sampler.eta === 0)) {
    const name = labelOf(scope, 'decoder.sampler');
    throw expected(
      "'ddim' with an eta of 0 (it leads from the inverted noise back)",
      name,
      sampler.name,
    );
  }
  return settings;
}

/** @param steps of the inversion */
export function resolveReconstruct(
  steps: number,
  options?: unknown,
  context: ResolveContext = {},
): ResolvedReconstruct {
  const settings = resolveOptions(reconstructOptions, options, context);
  const { eta, guidanceScale } = settings;
  const decoder = { ...unguidedDdim({ steps }), sampler: { name: 'ddim', eta }, guidanceScale };
  return { ...settings, candidates: 1, decoder: decoder as StageSettings };
}

export function resolveInvert(options?: unknown, context: ResolveContext = {}): ResolvedInvert {
  const settings = resolveOptions(invertOptions, options, context);
  const { steps, refinements } = settings;
  const fault = spacingFault(
    { steps },
    context.solverSteps?.decoder ?? invertOptions.steps.range[1],
  );
  if (fault !== undefined) throw expected(fault, labelOf(scopeOf(context), 'steps'), steps);
  return { ...settings, decoder: inverseOf({ steps }, refinements) };
}

/** The settings of the decoder's inversion. */
export function inverseOf(spacing: StageSettings['spacing'], refinements: number): StageSettings {
  return { ...unguidedDdim(spacing), refinements };
}

export function resolveImageToImage(
  prompt: unknown,
  options?: unknown,
  context: ResolveContext = {},
): ResolvedImageToImage {
  const prompts = promptList(prompt, scopeOf(context));
  const settings = resolveOptions(methodOptions.imageToImage, options, context);
  const { strength } = settings;
  return { ...settings, decoder: { ...settings.decoder, strength }, prompts };
}

export function resolveInpaint(
  prompt: unknown,
  options?: unknown,
  context: ResolveContext = {},
): ResolvedInpaint {
  const prompts = promptList(prompt, scopeOf(context));
  const settings = resolveOptions(methodOptions.inpaint, options, context);
  const { decoder, jumpLength, resamples } = settings;
  if (!['ddpm', 'ddim'].includes(decoder.sampler.name)) {
    const name = labelOf(scopeOf(context), 'decoder.sampler');
    const fix = 'other samplers use the steps before, which resampling repeats';
    throw expected("'ddpm' or 'ddim'", name, decoder.sampler.name, fix);
  }
  return { ...settings, decoder: { ...decoder, repaint: { jumpLength, resamples } }, prompts };
}

export function resolveUpscale(options?: unknown, context: ResolveContext = {}): ResolvedUpscale {
  return resolveOptions(upscaleOptions, options, context);
}

/**
 * The weights of a mix.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for numbers that no mean has
 */
export function resolveWeights(weights: readonly unknown[]): number[] {
  const checked = weights.map((weight, i) => {
    if (weight === undefined) return 1;
    if (typeof weight === 'number' && Number.isFinite(weight) && Math.abs(weight) <= maxWeight)
      return weight;
    throw expected(`number between -${maxWeight} and ${maxWeight}`, `parts[${i}].weight`, weight);
  });
  const sum = checked.reduce((total, weight) => total + weight, 0);
  if (sum > 1e-6) return checked;
  const message = `Expected weights with a sum above 0 but received ${checked.join(' + ')} = ${sum}`;
  throw invalidArgument(message, { argument: 'parts' });
}

/** The largest weight of a part, without its sign. */
export const maxWeight = 1000;
