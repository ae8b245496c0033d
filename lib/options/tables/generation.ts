import { imageFits, samplings, unsafeActions } from '../choices.js';
import type { OptionTable } from '../kinds.js';
import { candidateRange, priorOptions } from './stages.js';

/** Options of every method that generates images. */
export const generationOptions = {
  count: {
    kind: 'integer',
    range: [1, 1000],
    pageRange: [1, 8],
    default: 1,
    flag: '-n, --count',
    http: 'n',
    description: 'number of images per prompt or input image',
    details: 'Defaults to the length of `seed` if that is an array.',
  },
  seed: {
    kind: 'seeds',
    range: [0, 2 ** 32 - 1],
    defaultLabel: 'random',
    recipe: 'required',
    description: 'seed of the first image; the following images use the next integers',
    details:
      'Image j of each prompt uses `seed + j` (modulo 2^32), or `seed[j]` of an array of `count` seeds. The result always reports the seeds.',
  },
  sampling: {
    kind: 'choice',
    choices: samplings,
    default: 'fast',
    recipe: 'required',
    description: 'preset of each stage',
    details:
      'Sets the number of steps, and `turbo` also the guidance. Options of a stage take precedence.',
  },
  decoder: {
    kind: 'stage',
    label: 'decoder',
    presets: {
      turbo: { steps: 15, guidanceRescale: 0.7 },
      fast: { steps: 25 },
      default: { steps: 50 },
    },
    guidanceScale: 8,
    hasGuidance: true,
    recipe: 'required',
    description: 'options of the decoder, which generates a small image from an image embedding',
  },
  upsample: {
    kind: 'stage',
    label: 'super-resolution',
    presets: { turbo: { steps: 3 }, fast: { steps: 7 }, default: { steps: 7 } },
    guidanceScale: 1,
    hasGuidance: false,
    recipe: 'required',
    description: 'options of super-resolution, which enlarges the small image',
  },
  negativePrompt: {
    kind: 'text',
    maxLength: 4000,
    defaultLabel: 'empty',
    recipe: 'optional',
    description: 'what the images should not show',
    details:
      'In the unconditional half of the prior and of the decoder, it takes the place of the empty prompt, so it has no effect at a guidance scale of 1.',
  },
  candidates: {
    kind: 'integer',
    range: candidateRange,
    default: 1,
    description: 'number of drafts from which each image is chosen',
    details:
      'Of each image, the draft whose CLIP embedding has the largest cosine with that of the prompt or input image is kept, and only that one is enlarged. The model needs an image encoder.',
  },
  stopAfter: {
    kind: 'choice',
    choices: ['decoder'],
    defaultLabel: 'none',
    flag: false,
    description: 'stage after which the call ends: after the decoder, the result is drafts',
    details: '`karlo.finish` enlarges them later. On the command line: `--draft`.',
  },
  watermark: {
    kind: 'text',
    maxLength: 8,
    pattern: /^[0-9A-Za-z-]{0,8}$/,
    patternLabel: '1 to 8 letters, digits or hyphens',
    default: '',
    defaultLabel: 'none',
    recipe: 'optional',
    description: 'text of an invisible watermark: 1 to 8 letters, digits or hyphens',
    details:
      'It changes the pixels: see docs/guide/provenance.md. Images have to be at least 128 pixels wide and high. Drafts have none, and the images of drafts do.',
  },
  batchSize: {
    kind: 'integer',
    range: [1, 1000],
    default: 1,
    http: false,
    recipe: 'required',
    description: 'number of images that go through the networks together',
    details:
      'Larger batches take less time per image and more memory. With a `memoryBudget`, the default and the maximum are what fits into it. Every batch is computed at this size: the last one is padded, and the padding is dropped.',
  },
  previews: {
    kind: 'boolean',
    default: false,
    flag: false,
    http: false,
    description: 'whether step events carry the predicted x0 as images',
  },
  safety: {
    kind: 'check',
    loads: false,
    flag: false,
    http: false,
    defaultLabel: 'that of `Karlo.load`',
    description: 'safety check of the images',
    details:
      'A `SafetyChecker`, or a function that returns a verdict on each image. Drafts and previews are checked, too.',
  },
  onUnsafe: {
    kind: 'choice',
    choices: unsafeActions,
    flag: false,
    http: false,
    defaultLabel: 'that of `Karlo.load`',
    description: 'what happens to images that the safety check finds unsafe',
  },
  promptFilter: {
    kind: 'callback',
    defaultLabel: 'that of `Karlo.load`',
    description: 'function that returns whether a prompt is allowed',
  },
  signal: {
    kind: 'signal',
    description: 'signal that aborts the call within one step',
  },
} as const satisfies OptionTable;

/** Options of `textToImage` only. */
export const textToImageOptions = {
  prior: {
    kind: 'stage',
    label: 'prior',
    presets: { turbo: { steps: 25 }, fast: { steps: 25 }, default: { steps: 25 } },
    guidanceScale: 4,
    hasGuidance: true,
    own: priorOptions,
    recipe: 'required',
    description: 'options of the prior, which predicts an image embedding from the prompt',
  },
} as const satisfies OptionTable;

/** How input images are read. */
export const imageInputOptions = {
  fit: {
    kind: 'choice',
    choices: imageFits,
    default: 'cover',
    defaultLabel: 'from `preprocessor_config.json`; `fill` in the Kakao layout',
    http: false,
    description: 'how an image becomes square: cover crops it, fill stretches it',
  },
  limitInputPixels: {
    kind: 'integer',
    range: [1, 2 ** 32 - 1],
    default: 100_000_000,
    http: false,
    description: 'maximum number of pixels of an input image, width times height',
    details:
      'The decoded pixels may take 8 bytes each, and decoding 0.5 s per megapixel of this limit, but at least 10 s. An image may have 10,000 frames, of which the first is used.',
  },
  limitInputSide: {
    kind: 'integer',
    range: [1, 10_000_000],
    default: 16_384,
    http: false,
    description: 'maximum width and height of an input image, in pixels',
  },
} as const satisfies OptionTable;

/** The text that the decoder reads where the prior is not used. */
export const decoderTextOptions = {
  prompt: {
    kind: 'text',
    maxLength: 32_000,
    defaultLabel: 'empty',
    recipe: 'optional',
    description: 'text that the decoder reads besides the image embedding',
    details: 'The decoder was trained with and without it.',
  },
} as const satisfies OptionTable;

/** Options of `imageVariation` only. */
export const imageVariationOptions = {
  ...decoderTextOptions,
  ...imageInputOptions,
} as const satisfies OptionTable;

const { safety, onUnsafe, promptFilter } = generationOptions;

/** How images are checked, whatever they are made from. */
export const safetyOptions = { safety, onUnsafe } as const satisfies OptionTable;

/** How prompts are checked. */
export const promptOptions = { promptFilter } as const satisfies OptionTable;

const { default: _, ...batchSizeOfDraft } = generationOptions.batchSize;

/** Options of `karlo.finish`. */
export const finishOptions = {
  batchSize: { ...batchSizeOfDraft, defaultLabel: 'that of the draft' },
  previews: generationOptions.previews,
  ...safetyOptions,
  signal: generationOptions.signal,
} as const satisfies OptionTable;
