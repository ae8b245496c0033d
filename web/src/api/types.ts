// The parts of the server's responses that the page uses.

import type { Sampling, StageName } from '../../../lib/options/descriptions';

export type { StageName };

interface GuidedStage {
  steps: number;
  guidance_scale: number;
}

/** The steps and guidance scales of a sampling preset. */
export interface SamplingPreset {
  prior: GuidedStage;
  decoder: GuidedStage;
  upsample: { steps: number };
}

export interface Model {
  id: string;
  karlo: {
    /** Width and height of its images, in pixels. */
    size: number;
    text_to_image: boolean;
    image_variation: boolean;
    samplings: Record<Sampling, SamplingPreset>;
    max_n: number;
  };
}

/** Seconds in each stage. */
export type Timings = Record<StageName, number>;

export type GenerationEvent =
  | { type: 'queued'; position: number }
  | { type: 'step'; stage: StageName; step: number; steps: number; index?: number }
  | { type: 'preview'; index: number; blob: Blob }
  | { type: 'image'; index: number; seed: number; blob: Blob }
  | { type: 'completed'; warnings: string[]; timings?: Timings };
