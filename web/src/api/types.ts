// The parts of the server's responses that the page uses.

import type { SamplerName, Sampling, StageName } from '../../../lib/options/descriptions';

export type { StageName };

export interface GuidedPreset {
  steps: number;
  guidance_scale: number;
  /** Servers of version 0.1.0 have none. */
  sampler?: SamplerName;
}

/** What a sampling preset sets. */
export interface SamplingPreset {
  prior: GuidedPreset;
  decoder: GuidedPreset;
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
    /** Servers of version 0.1.0 have none. */
    max_image_bytes?: number;
  };
}

export type GenerationEvent =
  | { type: 'queued'; position: number }
  | { type: 'step'; stage: StageName; fraction: number; secondsLeft?: number; index?: number }
  | { type: 'preview'; index: number; blob: Blob }
  | { type: 'animation'; blob: Blob }
  | { type: 'image'; index: number; seed: number; blob: Blob }
  | { type: 'completed'; warnings: string[] };
