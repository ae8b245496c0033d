import {
  generationOptions,
  type Sampling,
  sentence,
  stageOptions,
  textToImageOptions,
} from '../../../lib/options/descriptions';
import type { RequestFields } from '../api/client';
import type { Model } from '../api/types';

/** Images from a prompt, or variations of an image. */
export type Kind = 'create' | 'vary';

export type GuidedStage = 'prior' | 'decoder';

/** Values that override those of the sampling preset. */
export interface StageSettings {
  steps?: number | undefined;
  guidance?: number | undefined;
}

/** Everything that determines the images of a run, except the source image. */
export interface Settings {
  kind: Kind;
  prompt: string;
  count: number;
  /** Seed of the first image. The following images use the next integers. */
  seed: number;
  sampling: Sampling;
  prior: StageSettings;
  decoder: StageSettings;
}

export const defaultCount = 4;

/** What the form allows, and a link may contain. */
export const ranges = {
  count: generationOptions.count.pageRange,
  seed: generationOptions.seed.range,
  steps: stageOptions.steps.pageRange,
  guidance: stageOptions.guidanceScale.pageRange,
} as const;

/** What the fields of a stage set. */
export const stageDescriptions = {
  steps: sentence(stageOptions.steps.description),
  guidance: sentence(stageOptions.guidanceScale.description),
} as const;

export type { Sampling };
export const samplings = generationOptions.sampling.choices;

const stageDefaults = { prior: textToImageOptions.prior, decoder: generationOptions.decoder };

/** The longest prompt that the form accepts, in characters. */
export const maxPromptLength = 2000;

export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}

export function initialSettings(): Settings {
  return {
    kind: 'create',
    prompt: '',
    count: defaultCount,
    seed: randomSeed(),
    sampling: generationOptions.sampling.default,
    prior: {},
    decoder: {},
  };
}

/** The stages whose settings apply to a kind of run. */
export function stagesOf(kind: Kind): readonly GuidedStage[] {
  return kind === 'create' ? ['prior', 'decoder'] : ['decoder'];
}

/** The values of a stage: those of the preset, unless the settings override them. */
export function stageValues(
  stage: GuidedStage,
  settings: Settings,
  model: Model | undefined,
): { steps: number; guidance: number } {
  const preset = model?.karlo.samplings[settings.sampling][stage];
  const { steps, guidance } = settings[stage];
  return {
    steps: steps ?? preset?.steps ?? stageDefaults[stage].steps[settings.sampling],
    guidance: guidance ?? preset?.guidance_scale ?? stageDefaults[stage].guidanceScale,
  };
}

export function isModified({ steps, guidance }: StageSettings): boolean {
  return steps !== undefined || guidance !== undefined;
}

export function samplingLabel(sampling: Sampling): string {
  return sampling === 'fast' ? 'Fast' : 'Default';
}

/** A short description, such as "Fast · 12 decoder steps". */
export function summaryOf(settings: Settings): string {
  const parts = [samplingLabel(settings.sampling)];
  for (const stage of stagesOf(settings.kind)) {
    const { steps, guidance } = settings[stage];
    if (steps !== undefined) parts.push(`${steps} ${stage} steps`);
    if (guidance !== undefined) parts.push(`${stage} guidance ${guidance}`);
  }
  return parts.join(' · ');
}

/** The settings as fields of a streamed API request. */
export function requestFields(settings: Settings): RequestFields {
  const { kind, prompt, count, seed, sampling, prior, decoder } = settings;
  return {
    ...(kind === 'create' && { prompt }),
    n: count,
    seed,
    sampling,
    ...(kind === 'create' && { prior: stageFields(prior) }),
    decoder: stageFields(decoder),
    stream: true,
    partial_images: 3,
    progress: true,
  };
}

function stageFields({ steps, guidance }: StageSettings) {
  return {
    ...(steps !== undefined && { steps }),
    ...(guidance !== undefined && { guidance_scale: guidance }),
  };
}
