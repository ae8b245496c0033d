/** What the page reads of the server's answers. */

export type StageName = 'prior' | 'decoder' | 'upsample';
export type SamplingName = 'fast' | 'default';

interface GuidedPreset {
  steps: number;
  guidance_scale: number;
}

export interface Sampling {
  prior: GuidedPreset;
  decoder: GuidedPreset;
  upsample: { steps: number };
}

export interface Model {
  id: string;
  karlo: {
    /** Side of its pictures, in pixels. */
    size: number;
    text_to_image: boolean;
    image_variation: boolean;
    samplings: Record<SamplingName, Sampling>;
    max_n: number;
  };
}

export type Timings = Record<StageName, number>;

/** What happens while pictures are made. */
export type PictureEvent =
  | { type: 'queued'; position: number }
  | { type: 'step'; stage: StageName; step: number; steps: number; index?: number }
  | { type: 'preview'; index: number; blob: Blob }
  | { type: 'picture'; index: number; seed: number; blob: Blob }
  | { type: 'done'; warnings: string[]; timings?: Timings };
