// Options of the methods that work with points in CLIP space, and with the decoder's noise.
import type { OptionTable } from '../kinds.js';
import {
  decoderTextOptions,
  generationOptions,
  imageInputOptions,
  promptOptions,
  safetyOptions,
  textToImageOptions,
} from './generation.js';

const { signal } = generationOptions;
const { prior } = textToImageOptions;

/** Options of `embedImage`. */
export const embedImageOptions = { ...imageInputOptions, signal } as const satisfies OptionTable;

/** Options of `embedText`. */
export const embedTextOptions = {
  seed: {
    kind: 'integer',
    range: [0, 2 ** 32 - 1],
    defaultLabel: 'random',
    description: 'seed of the sample',
  },
  sampling: generationOptions.sampling,
  prior,
  negativePrompt: generationOptions.negativePrompt,
  ...promptOptions,
  signal,
} as const satisfies OptionTable;

/** Options of `fromEmbedding` only. */
export const fromEmbeddingOptions = decoderTextOptions;

/** Options of `mix` only. */
export const mixOptions = {
  mode: {
    kind: 'choice',
    choices: ['sphere', 'linear'],
    default: 'sphere',
    recipe: 'required',
    description: 'which mean is taken of the embeddings',
    details:
      '`sphere` is the mean on the sphere, which lies on the great circle between two embeddings, and interpolates their lengths. `linear` is the plain mean, which is shorter.',
  },
  ...decoderTextOptions,
  prior,
  ...imageInputOptions,
} as const satisfies OptionTable;

const { count: _, seed, ...generationOfFrames } = generationOptions;

/** Options of `interpolate`. */
export const interpolateOptions = {
  frames: {
    kind: 'integer',
    range: [2, 1000],
    default: 16,
    description: 'number of images, both ends included',
  },
  easing: {
    kind: 'choice',
    choices: ['linear', 'in', 'out', 'in-out'],
    default: 'linear',
    description: 'how the frames are spaced',
    details: '`in` starts slowly, `out` ends slowly, and `in-out` does both (smoothstep).',
  },
  noise: {
    kind: 'choice',
    choices: ['fixed', 'slerp'],
    default: 'fixed',
    description:
      'whether all frames have the noise of one seed, or it moves from one seed to another',
    details:
      'With `slerp`, `seed` is an array of two seeds; of one seed, the other is the next integer. Two inversions always move from the noise of one to that of the other.',
  },
  keepFrames: {
    kind: 'boolean',
    default: true,
    flag: false,
    http: false,
    description: 'whether the result holds all frames',
    details:
      'Without them, frames arrive as events only, so that memory does not grow with their number.',
  },
  seed: {
    ...seed,
    description: 'seed of all frames, or of both ends',
    details: 'See `noise`.',
  },
  ...generationOfFrames,
  ...decoderTextOptions,
  prior,
  ...imageInputOptions,
} as const satisfies OptionTable;

/** The decoder where it starts from inverted noise, which only the sampler `ddim` leads back to the image. */
const invertedDecoder = {
  ...generationOptions.decoder,
  guidanceScale: 4,
  presets: {
    turbo: { steps: 25, sampler: 'ddim' },
    fast: { steps: 50, sampler: 'ddim' },
    default: { steps: 100, sampler: 'ddim' },
  },
} as const;

/** Fixed-point iterations of an inversion. */
const refinements = {
  kind: 'integer',
  range: [0, 10],
  default: 2,
  recipe: 'required',
  description: 'fixed-point iterations in each step of the inversion',
  details: 'Each runs the network once more, and makes the inversion more exact.',
} as const;

/** Options of `invert`. */
export const invertOptions = {
  steps: {
    kind: 'integer',
    range: [1, 1000],
    default: 50,
    recipe: 'required',
    description: 'number of steps, of the inversion and of what is generated from it',
  },
  refinements,
  prompt: decoderTextOptions.prompt,
  ...imageInputOptions,
  ...promptOptions,
  signal,
} as const satisfies OptionTable;

const {
  sampling,
  decoder: __,
  stopAfter,
  candidates: ___,
  ...generationOfInversion
} = generationOptions;

/** Options of `reconstruct`. Its decoder takes the steps of the inversion. */
export const reconstructOptions = {
  eta: {
    kind: 'number',
    range: [0, 1],
    default: 0,
    description: 'how much noise each step adds',
    details: '0 reconstructs the image; larger values are variations of it.',
  },
  guidanceScale: {
    kind: 'number',
    range: [0, 30],
    flag: '--guidance',
    default: 1,
    description: 'classifier-free guidance scale of the decoder',
    details: 'The inversion has 1. Larger values follow a new embedding or prompt more closely.',
  },
  prompt: { ...decoderTextOptions.prompt, defaultLabel: 'that of the inversion' },
  sampling,
  stopAfter,
  ...generationOfInversion,
} as const satisfies OptionTable;

/** Options of `edit` only. */
export const editOptions = {
  from: {
    kind: 'text',
    maxLength: 4000,
    recipe: 'required',
    description: 'what the image shows',
  },
  to: {
    kind: 'text',
    maxLength: 4000,
    recipe: 'required',
    description: 'what it should show instead',
  },
  strength: {
    kind: 'number',
    range: [0, 1],
    default: 0.4,
    recipe: 'required',
    description: 'how far the image embedding is turned towards the difference of the texts',
    details:
      'As a part of the angle between them. Ramesh et al. 2022, section 3.3, use 0.25 to 0.5.',
  },
  noise: {
    kind: 'boolean',
    default: true,
    flag: false,
    recipe: 'required',
    description: 'whether the decoder starts from the inverted noise of the image',
    details:
      'It keeps what the edit leaves alone. Without it, the noise is drawn. On the command line: `--new-noise`.',
  },
  refinements,
  decoder: invertedDecoder,
  ...decoderTextOptions,
  ...imageInputOptions,
} as const satisfies OptionTable;

/** Options of `imageToImage` only. */
export const imageToImageOptions = {
  strength: {
    kind: 'number',
    range: [0, 1],
    default: 0.7,
    recipe: 'required',
    description: 'part of the schedule of the decoder that runs',
    details:
      'The image is noised, and the decoder continues from there (SDEdit, Meng et al. 2022). 0 only enlarges the image; 1 starts from noise, as `textToImage` does.',
  },
  prior,
  ...imageInputOptions,
} as const satisfies OptionTable;

/** Options of `inpaint`. Its images cannot stop as drafts: they are completed from the input. */
export const inpaintOptions = {
  jumpLength: {
    kind: 'integer',
    range: [1, 1000],
    default: 5,
    recipe: 'required',
    description: 'number of steps that resampling goes back',
    details: 'See Lugmayr et al. 2022 (RePaint), section 4.2.',
  },
  resamples: {
    kind: 'integer',
    range: [1, 50],
    default: 3,
    recipe: 'required',
    description: 'how often each step is taken',
    details: 'More fit the new pixels better to the kept ones, and take more time.',
  },
  feather: {
    kind: 'integer',
    range: [0, 128],
    default: 4,
    recipe: 'required',
    description: 'width of the seam, in pixels of the result',
    details:
      'Within it, kept pixels fade into new ones. Farther away, they are those of the input.',
  },
  ...withoutStop(),
  prior,
  ...imageInputOptions,
} as const satisfies OptionTable;

function withoutStop() {
  const { stopAfter: _, ...others } = generationOptions;
  return others;
}

const { count, upsample, watermark, batchSize, previews } = generationOptions;

/** Options of `upscale`. */
export const upscaleOptions = {
  ...{ count, seed, sampling, upsample, watermark, batchSize, previews },
  ...safetyOptions,
  signal,
  ...imageInputOptions,
} as const satisfies OptionTable;
