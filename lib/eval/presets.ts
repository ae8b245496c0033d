import type { EvaluationPreset } from '../options/descriptions.js';
import type { EvaluationSetting } from './settings.js';

/** Figures that others have published. */
export interface PublishedTable {
  /** Where they come from. */
  readonly source: string;
  /** The address of the source. */
  readonly url: string;
  /** Guidance scales of prior and decoder. */
  readonly guidance: string;
  /** The network of the CLIP-score. */
  readonly clip: string;
  /** The images of FID. */
  readonly images: string;
  /** The figures of each setting. */
  readonly rows: readonly PublishedRow[];
}

/** The figures of a setting. */
export interface PublishedRow {
  /** Steps of the stages: `Prior (25) + Decoder (50) + SR (7)`. */
  readonly steps: string;
  /** Mean cosine of caption and image. */
  readonly clipScore: number;
  /** Fréchet Inception distance. */
  readonly fid: number;
}

/** The settings of a published evaluation. */
export interface Preset {
  /** What the captions are. */
  readonly captions: string;
  /** How many of them are used. */
  readonly limit: number;
  /** The rows of the report. */
  readonly settings: readonly EvaluationSetting[];
  /** The figures that were published. */
  readonly published: PublishedTable;
}

/** Of both evaluations: "classifier-free guidance scales for prior and decoder to 4 and 8 in all cases". */
const guidance = { prior: { guidanceScale: 4 }, decoder: { guidanceScale: 8 } } as const;
const settings = [
  { sampling: 'fast', ...guidance },
  { sampling: 'default', ...guidance },
] as const satisfies readonly EvaluationSetting[];

const karlo = {
  source: "the README of Kakao Brain's Karlo v1.0.alpha",
  url: 'https://github.com/kakaobrain/karlo#evaluation',
  guidance: '4 / 8',
  clip: 'ViT-B/16',
} as const;

const [fast, byDefault] = [
  'Prior (25) + Decoder (25) + SR (7)',
  'Prior (25) + Decoder (50) + SR (7)',
];

/** The presets, by name. */
export const presets: Readonly<Record<EvaluationPreset, Preset>> = {
  'karlo-coco': {
    captions: 'the validation split of MS-COCO',
    limit: 30_000,
    settings,
    published: {
      ...karlo,
      images: '30k from val',
      rows: [
        { steps: fast, clipScore: 0.3192, fid: 15.24 },
        { steps: byDefault, clipScore: 0.3192, fid: 14.43 },
      ],
    },
  },
  'karlo-cc3m': {
    captions: 'the validation split of CC3M',
    limit: 13_000,
    settings,
    published: {
      ...karlo,
      images: '13k from val',
      rows: [
        { steps: fast, clipScore: 0.3081, fid: 14.37 },
        { steps: byDefault, clipScore: 0.3086, fid: 13.95 },
      ],
    },
  },
};
