import { samplers, samplings } from '../choices.js';
import type { OptionTable, StageOption } from '../kinds.js';

/** Options of each stage: `decoder.steps`, for example. `steps` and `timestepRespacing` exclude each other. */
export const stageOptions = {
  steps: {
    kind: 'integer',
    range: [1, 1000],
    pageRange: [1, 100],
    defaultLabel: 'depends on the stage and on `sampling`',
    description: 'number of steps, spaced as in diffusers',
    details:
      "Which timesteps they visit depends on the sampler. At most the number of the model's training timesteps. Cannot be combined with `timestepRespacing`.",
    recipe: 'required',
  },
  timestepRespacing: {
    kind: 'respacing',
    maxLength: 200,
    defaultLabel: 'none',
    description: `steps spaced as in Kakao's program: "25", "10,10,5", "ddim25" or "fast27"`,
    details:
      'Numbers separated by commas are the steps of sections of equal length, lowest noise first. With "ddim25" and "fast27", `sampler` defaults to `ddim`.',
    recipe: 'required',
  },
  guidanceScale: {
    kind: 'number',
    range: [0, 30],
    pageRange: [0.1, 24],
    flag: '--guidance',
    defaultLabel: 'depends on the stage',
    recipe: 'required',
    description: 'classifier-free guidance scale',
    details:
      '0 uses the unconditional prediction alone, exactly 1 skips it, and larger values follow the prompt more closely. Super-resolution has no guidance and accepts only 1.',
  },
  sampler: {
    kind: 'choice',
    choices: samplers,
    defaultLabel: '`ddim` with "ddim25" and the like, `ddpm` otherwise',
    recipe: 'optional',
    description: 'algorithm of the steps',
    details:
      '`ddpm` adds noise in each step. `ddim`, `dpm++` (DPM-Solver++ 2M) and `unipc` solve an ordinary differential equation instead, and need fewer steps.',
  },
  eta: {
    kind: 'number',
    range: [0, 1],
    default: 0,
    recipe: 'optional',
    description: 'how much noise the sampler ddim adds in each step',
    details: '0 adds none; 1 adds as much as `ddpm` does with fixed variance.',
  },
  guidanceInterval: {
    kind: 'interval',
    range: [0, 1],
    default: [0, 1],
    defaultLabel: 'the whole schedule',
    recipe: 'optional',
    description: 'part of the schedule that is guided',
    details:
      'Start and end, where 0 is pure noise and 1 the clean sample. Steps outside skip the unconditional prediction, which halves their work.',
  },
  guidanceRescale: {
    kind: 'number',
    range: [0, 1],
    default: 0,
    recipe: 'optional',
    description:
      'how far the guided prediction is rescaled to the standard deviation of the conditional one',
    details: 'Reduces the oversaturation of large guidance scales.',
  },
} as const satisfies OptionTable;

/** The range of both options `candidates`. */
export const candidateRange = [1, 64] as const;

/** Options that only the prior has. */
export const priorOptions = {
  candidates: {
    kind: 'integer',
    range: candidateRange,
    default: 1,
    description: 'number of image embeddings to sample for each draft',
    details:
      'The decoder receives the one with the largest dot product with the text embedding, as in Ramesh et al. 2022, section 2.2, which samples 2.',
  },
} as const satisfies OptionTable;

/** The options of a stage, with its own defaults. One without guidance has only the first three. */
export function optionsOfStage({ presets, guidanceScale: scale, hasGuidance, own }: StageOption) {
  const { steps, timestepRespacing, guidanceScale, ...others } = stageOptions;
  const common = {
    steps: { ...steps, defaultLabel: stepsLabel(presets) },
    timestepRespacing,
    guidanceScale: { ...guidanceScale, default: scale, defaultLabel: `${scale}` },
  };
  if (hasGuidance) {
    const sampler = samplerOf(others.sampler, presets);
    return { ...common, ...others, sampler, ...(own as object | undefined) };
  }
  const { guidanceScale: only } = common;
  return { ...common, guidanceScale: { ...only, flag: false, http: false } } as const;
}

/** With the default of the presets, if they have one. */
function samplerOf<T extends object>(option: T, { fast }: StageOption['presets']): T {
  return fast.sampler === undefined ? option : { ...option, defaultLabel: `\`${fast.sampler}\`` };
}

/** For example "25, or 15 with turbo sampling, or 50 with default sampling". */
function stepsLabel(presets: StageOption['presets']): string {
  const { steps } = presets.fast;
  const others = samplings.filter((sampling) => presets[sampling].steps !== steps);
  const labels = others.map((sampling) => `${presets[sampling].steps} with ${sampling} sampling`);
  return [`${steps}`, ...labels].join(', or ');
}
