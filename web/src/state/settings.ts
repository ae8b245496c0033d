import {
  editOptions,
  generationOptions,
  interpolateOptions,
  type SamplerName,
  type Sampling,
  type StageOption,
  sentence,
  stageOptions,
  textToImageOptions,
} from '../../../lib/options/descriptions';
import type { GuidedPreset, Model } from '../api/types';

/** What a run does: the tabs of the form. */
export const kinds = ['create', 'vary', 'mix', 'interpolate', 'edit'] as const;
export type Kind = (typeof kinds)[number];

export const kindLabels: Record<Kind, string> = {
  create: 'Create',
  vary: 'Vary',
  mix: 'Mix',
  interpolate: 'Interpolate',
  edit: 'Edit',
};

export type GuidedStage = 'prior' | 'decoder';
export type Stage = GuidedStage | 'upsample';

/** An edit repaints a part of an image, or changes it by the difference of two texts. */
export type EditMode = 'repaint' | 'text';
export const editModes = ['repaint', 'text'] as const satisfies readonly EditMode[];

export const easings = interpolateOptions.easing.choices;
export type Easing = (typeof easings)[number];

export const animations = ['webp', 'gif'] as const;
export type AnimationFormat = (typeof animations)[number];

/** Values that override those of the sampling preset. */
export interface StageSettings {
  steps?: number | undefined;
  guidance?: number | undefined;
  sampler?: SamplerName | undefined;
}

/** Everything that determines the images of a run, except the images and texts that it works on. */
export interface Settings {
  kind: Kind;
  prompt: string;
  count: number;
  /** Seed of the first image. The following images use the next integers. */
  seed: number;
  /** Drafts from which each image is chosen. */
  candidates: number;
  /** Whether a run ends with drafts, of which the chosen ones are finished later. */
  draftsFirst: boolean;
  sampling: Sampling;
  prior: StageSettings;
  decoder: StageSettings;
  upsample: StageSettings;
  /** Of an interpolation. */
  frames: number;
  easing: Easing;
  animation: AnimationFormat;
  /** Of an edit. */
  editMode: EditMode;
  from: string;
  to: string;
  strength: number;
}

export const defaultCount = 4;
export const defaultSampling = generationOptions.sampling.default;

/** What the form allows, and a link may contain. */
export const ranges = {
  count: generationOptions.count.pageRange,
  seed: generationOptions.seed.range,
  steps: stageOptions.steps.pageRange,
  guidance: stageOptions.guidanceScale.pageRange,
  frames: [2, 48],
  strength: editOptions.strength.range,
} as const;

/** The numbers of candidates that the page offers, and a link may contain. */
export const candidateChoices = [1, 2, 4, 8] as const;

/** What the fields of a stage set. */
export const stageDescriptions = {
  steps: sentence(stageOptions.steps.description),
  guidance: sentence(stageOptions.guidanceScale.description),
  sampler: sentence(stageOptions.sampler.description),
} as const;

export type { SamplerName, Sampling };
export const samplings = generationOptions.sampling.choices;
export const samplers = stageOptions.sampler.choices;

const stageDefaults: Record<Stage, StageOption> = {
  prior: textToImageOptions.prior,
  decoder: generationOptions.decoder,
  upsample: generationOptions.upsample,
};

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
    candidates: generationOptions.candidates.default,
    draftsFirst: false,
    sampling: defaultSampling,
    prior: {},
    decoder: {},
    upsample: {},
    frames: 8,
    easing: interpolateOptions.easing.default,
    animation: 'webp',
    editMode: 'repaint',
    from: '',
    to: '',
    strength: editOptions.strength.default,
  };
}

/** The stages whose settings apply to a run. */
export function stagesOf(settings: Settings): readonly Stage[] {
  return hasPrior(settings) ? ['prior', 'decoder', 'upsample'] : ['decoder', 'upsample'];
}

/** Whether the form has a prompt. */
export function hasPrompt({ kind, editMode }: Settings): boolean {
  return kind === 'create' || (kind === 'edit' && editMode === 'repaint');
}

/** Whether a run of a kind can end with drafts. */
export function canDraft(kind: Kind): boolean {
  return kind === 'create' || kind === 'vary' || kind === 'mix';
}

/** Whether a run ends with drafts. */
export function makesDrafts({ kind, draftsFirst }: Settings): boolean {
  return draftsFirst && canDraft(kind);
}

/** Whether a run embeds texts. */
export function hasPrior(settings: Settings): boolean {
  return hasPrompt(settings) || settings.kind === 'mix' || settings.kind === 'interpolate';
}

/** What {@link StageSettings} leave open is that of the preset. */
export type StageValues = { [K in keyof StageSettings]-?: Exclude<StageSettings[K], undefined> };

/** The values of a stage: those of the preset, unless the settings override them. */
export function stageValues(
  stage: Stage,
  settings: Settings,
  model: Model | undefined,
): StageValues {
  const preset: Partial<GuidedPreset> | undefined =
    model?.karlo.samplings[settings.sampling][stage];
  const { presets, guidanceScale } = stageDefaults[stage];
  const own = presets[settings.sampling];
  const { steps, guidance, sampler } = settings[stage];
  return {
    steps: steps ?? preset?.steps ?? own.steps,
    guidance: guidance ?? preset?.guidance_scale ?? guidanceScale,
    sampler: sampler ?? preset?.sampler ?? own.sampler ?? 'ddpm',
  };
}

export function isModified({ steps, guidance, sampler }: StageSettings): boolean {
  return steps !== undefined || guidance !== undefined || sampler !== undefined;
}

const samplingLabels: Record<Sampling, string> = {
  turbo: 'Turbo',
  fast: 'Fast',
  default: 'Default',
};

export function samplingLabel(sampling: Sampling): string {
  return samplingLabels[sampling];
}

const samplerLabels: Record<SamplerName, string> = {
  ddpm: 'DDPM',
  ddim: 'DDIM',
  'dpm++': 'DPM-Solver++',
  unipc: 'UniPC',
};

export function samplerLabel(sampler: SamplerName): string {
  return samplerLabels[sampler];
}

const editModeLabels: Record<EditMode, string> = {
  repaint: 'Repaint a part',
  text: 'Change by text',
};

export function editModeLabel(mode: EditMode): string {
  return editModeLabels[mode];
}

const easingLabels: Record<Easing, string> = {
  linear: 'Even',
  in: 'Start slowly',
  out: 'End slowly',
  'in-out': 'Start and end slowly',
};

export function easingLabel(easing: Easing): string {
  return easingLabels[easing];
}

const animationLabels: Record<AnimationFormat, string> = { webp: 'WebP', gif: 'GIF' };

export function animationLabel(format: AnimationFormat): string {
  return animationLabels[format];
}

/** "1 step", "25 prior steps" */
export function stepsText(steps: number, stage?: string): string {
  return [steps, stage, steps === 1 ? 'step' : 'steps'].filter(Boolean).join(' ');
}

const stageLabels: Record<Stage, string> = {
  prior: 'prior',
  decoder: 'decoder',
  upsample: 'super-resolution',
};

/** A short description, such as "Fast · 12 decoder steps". */
export function summaryOf(settings: Settings): string {
  const parts = [samplingLabel(settings.sampling)];
  if (makesDrafts(settings)) parts.push('drafts first');
  // Stored runs of earlier versions have no candidates.
  else if (settings.candidates > 1) parts.push(`best of ${settings.candidates}`);
  for (const stage of stagesOf(settings)) {
    const { steps, guidance, sampler } = settings[stage];
    if (steps !== undefined) parts.push(stepsText(steps, stageLabels[stage]));
    if (guidance !== undefined) parts.push(`${stage} guidance ${guidance}`);
    if (sampler !== undefined) parts.push(`${stage} sampler ${samplerLabel(sampler)}`);
  }
  return parts.join(' · ');
}
