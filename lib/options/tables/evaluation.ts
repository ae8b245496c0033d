import { evaluationPresets } from '../choices.js';
import type { OptionTable } from '../kinds.js';
import { generationOptions } from './generation.js';

/** Options of `evaluate`. */
export const evaluationOptions = {
  preset: {
    kind: 'choice',
    choices: evaluationPresets,
    defaultLabel: 'none',
    description: 'settings of a published evaluation, with its figures in the report',
    details:
      '`karlo-coco` and `karlo-cc3m` are those of Kakao Brain: `fast` and `default` sampling with guidance scales of 4 and 8, and 30,000 or 13,000 captions.',
  },
  limit: {
    kind: 'integer',
    range: [1, 10_000_000],
    defaultLabel: 'all, or those of the preset',
    description: 'number of captions that are used',
    details:
      'The same captions each time, spread over the file. A larger limit adds to a smaller one.',
  },
  seed: {
    kind: 'integer',
    range: [0, 2 ** 32 - 1],
    default: 0,
    description:
      "seed of caption 0; other captions add their number, which is COCO's id of an image",
  },
  clip: {
    kind: 'text',
    defaultLabel: "the model's own",
    description: 'CLIP of the CLIP-score: a folder in Hugging Face layout, or a Karlo model',
  },
  reference: {
    kind: 'text',
    defaultLabel: 'none',
    description: 'reference for FID and KID: a folder of images, or statistics as .npz',
    details: 'pytorch-fid writes such statistics, which suffice for FID.',
  },
  inception: {
    kind: 'text',
    defaultLabel: 'the CLIP of the score, whose Fréchet distance is not FID',
    description: 'TorchScript network for FID and KID, such as inception-2015-12-05.pt',
    details: 'TorchScript is a program: use only files that you trust.',
  },
  batchSize: generationOptions.batchSize,
} as const satisfies OptionTable;
