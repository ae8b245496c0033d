import { expected, invalidArgument } from '../errors.js';
import { type CheckedOptions, checkOptions } from './check-options.js';
import {
  generationOptions,
  type OptionTable,
  optionsOfStage,
  type SamplerName,
  type Sampling,
  type StageName,
  type StageOption,
  stageOptions,
} from './descriptions.js';
import { defaultsToDdim, type Spacing, spacingFault } from './respacing.js';
import { knownOptions, labelOf, labelSetting, type RawOptions, type Scope } from './validate.js';

type SamplingTable = ReturnType<typeof samplingTable>;

/** A sampler with its own settings. */
export interface SamplerSettings {
  readonly name: SamplerName;
  /** How much noise `ddim` adds; 0 for other samplers. */
  readonly eta: number;
}

/** The settings of one stage, complete. The guidance scale is 1 for stages without guidance. */
export interface StageSettings extends Omit<CheckedOptions<SamplingTable>, 'sampler' | 'eta'> {
  readonly spacing: Spacing;
  readonly sampler: SamplerSettings;
  /** Image embeddings that the prior samples for each draft; other stages have none. */
  readonly candidates?: number;
  /** The part of the schedule that runs from a noised image, 0 to 1. Absent: all of it, from noise. */
  readonly strength?: number;
  /** How the decoder repaints an image. */
  readonly repaint?: RepaintSettings;
  /** Fixed-point iterations in each step of an inversion. Absent: the stage denoises. */
  readonly refinements?: number;
}

/** RePaint goes back `jumpLength` steps from time to time, so that each is taken `resamples` times. */
export interface RepaintSettings {
  readonly jumpLength: number;
  readonly resamples: number;
}

/** The most steps that each stage of a model can take. */
export interface StepLimits {
  /** Training timesteps (`num_train_timesteps`). */
  readonly trainSteps?: Readonly<Partial<Record<StageName, number>>>;
  /** Steps of a sampler that solves an ODE, and so visits only some of the training timesteps. */
  readonly solverSteps?: Readonly<Partial<Record<StageName, number>>>;
}

/** Checks the stages of a table, and completes them from the preset. */
export function resolveStages(
  table: OptionTable,
  all: RawOptions,
  outer: Scope,
  limits: StepLimits,
): Record<string, StageSettings> {
  const { sampling } = checkOptions({ sampling: generationOptions.sampling }, all, outer);
  const stages: Record<string, StageSettings> = {};
  for (const [name, description] of Object.entries(table)) {
    if (description.kind !== 'stage') continue;
    const scope = { ...outer, path: name };
    const known = Object.keys(optionsOfStage(description));
    const raw = knownOptions(all[name], known, labelOf(outer, name), scope);
    const given = givenSpacing(raw, scope);
    const { sampler, eta, ...guidance } = checkOptions(
      samplingTable(description, sampling, given),
      raw,
      scope,
    );
    const maxSteps = (spacing: Spacing) => mostSteps(spacing, sampler, name as StageName, limits);
    const preset = description.presets[sampling];
    const spacing = given ?? { steps: Math.min(preset.steps, maxSteps(preset)) };
    const own = checkOptions(description.own ?? {}, raw, scope);
    const stage = { spacing, sampler: { name: sampler, eta }, ...guidance, ...own };
    checkSpacing(spacing, maxSteps(spacing), scope);
    checkEta(stage.sampler, scope);
    checkGuidance(stage, description, scope);
    stages[name] = stage;
  }
  return stages;
}

/** The options of a stage besides its spacing, with the defaults that its preset and its spacing imply. */
export function samplingTable(
  { presets, guidanceScale: scale }: StageOption,
  sampling: Sampling,
  spacing: Spacing | undefined,
) {
  const { steps: _, timestepRespacing: __, ...table } = stageOptions;
  const { guidanceScale, sampler, guidanceInterval, guidanceRescale } = table;
  const preset = presets[sampling];
  const implied: SamplerName | undefined =
    spacing !== undefined && defaultsToDdim(spacing) ? 'ddim' : preset.sampler;
  return {
    ...table,
    guidanceScale: { ...guidanceScale, default: scale },
    sampler: { ...sampler, default: implied ?? 'ddpm' },
    guidanceInterval: {
      ...guidanceInterval,
      default: preset.guidanceInterval ?? guidanceInterval.default,
    },
    guidanceRescale: {
      ...guidanceRescale,
      default: preset.guidanceRescale ?? guidanceRescale.default,
    },
  };
}

function givenSpacing(raw: RawOptions, scope: Scope): Spacing | undefined {
  const { steps, timestepRespacing } = raw;
  if (steps !== undefined && timestepRespacing !== undefined) {
    const names = ['steps', 'timestepRespacing'].map((name) => labelOf(scope, name));
    throw invalidArgument(`Expected either ${names.join(' or ')} but received both`);
  }
  if (steps === undefined && timestepRespacing === undefined) return undefined;
  return (steps === undefined ? { timestepRespacing } : { steps }) as Spacing;
}

function mostSteps(
  spacing: Spacing,
  sampler: SamplerName,
  stage: StageName,
  { trainSteps, solverSteps }: StepLimits,
): number {
  const limits = 'steps' in spacing && sampler !== 'ddpm' ? solverSteps : trainSteps;
  return limits?.[stage] ?? stageOptions.steps.range[1];
}

function checkSpacing(spacing: Spacing, maxSteps: number, scope: Scope): void {
  const fault = spacingFault(spacing, maxSteps);
  if (fault === undefined) return;
  const [[name, value]] = Object.entries(spacing) as [[string, unknown]];
  throw expected(fault, labelOf(scope, name), value);
}

function checkEta({ name, eta }: SamplerSettings, scope: Scope): void {
  if (name === 'ddim' || eta === 0) return;
  const ddim = labelSetting(scope.label, `${scope.path}.sampler`, 'ddim');
  const what = `0 (the sampler ${name} has no eta)`;
  throw expected(what, labelOf(scope, 'eta'), eta, `set ${ddim}, or leave it out`);
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
