import type { Model, SamplingName } from '../api/types';

export type Kind = 'create' | 'vary';

/** What differs from the preset of `sampling`. */
export interface StageSettings {
  steps?: number | undefined;
  guidance?: number | undefined;
}

/** Everything that decides what a run makes, but for the picture to vary. */
export interface Settings {
  kind: Kind;
  prompt: string;
  count: number;
  /** Of the first picture; the next ones have the next numbers. */
  seed: number;
  sampling: SamplingName;
  prior: StageSettings;
  decoder: StageSettings;
}

export const ranges = {
  count: [1, 8],
  seed: [0, 2 ** 32 - 1],
  steps: [1, 100],
  guidance: [0.1, 24],
} as const;

export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}

export function initialSettings(): Settings {
  return {
    kind: 'create',
    prompt: '',
    count: 4,
    seed: randomSeed(),
    sampling: 'fast',
    prior: {},
    decoder: {},
  };
}

/** The steps and the guidance of a stage, preset and changes together. */
export function stageValues(
  stage: 'prior' | 'decoder',
  settings: Settings,
  model: Model | undefined,
): { steps: number; guidance: number } {
  const preset = model?.karlo.samplings[settings.sampling][stage];
  const { steps, guidance } = settings[stage];
  return {
    steps: steps ?? preset?.steps ?? 25,
    guidance: guidance ?? preset?.guidance_scale ?? 4,
  };
}

export function isChanged({ steps, guidance }: StageSettings): boolean {
  return steps !== undefined || guidance !== undefined;
}

/** In a few words: "Fast · 12 decoder steps". */
export function summary({ kind, sampling, prior, decoder }: Settings): string {
  const words = [sampling === 'fast' ? 'Fast' : 'Default'];
  const stages = kind === 'create' ? ({ prior, decoder } as const) : ({ decoder } as const);
  for (const [name, { steps, guidance }] of Object.entries(stages)) {
    if (steps !== undefined) words.push(`${steps} ${name} steps`);
    if (guidance !== undefined) words.push(`${name} guidance ${guidance}`);
  }
  return words.join(' · ');
}
