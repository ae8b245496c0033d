import type { Recipe } from '../../../lib/images/recipe.js';

const sha256 = 'f1'.repeat(32);
const source = { sha256, fit: 'cover' } as const;
const common = {
  format: 1,
  seed: 7,
  sampling: 'fast',
  decoder: { steps: 25, guidanceScale: 8 },
  upsample: { steps: 7, guidanceScale: 1 },
  batchSize: 1,
  dtype: 'float32',
  device: 'cpu',
  model: { name: 'karlo-tiny', sha256 },
  versions: { karlo: '0.1.0', libtorch: '2.11.0' },
} as const;
const prompt = 'a red heart';
const prior = { steps: 25, guidanceScale: 4 };
const inversion = { source, steps: 50, refinements: 2, prompt: '' };
const { decoder: _, ...withoutDecoder } = common;

/** A recipe of each method. */
export const recipes = {
  textToImage: { ...common, kind: 'textToImage', prompt, prior },
  imageVariation: { ...common, kind: 'imageVariation', source },
  fromEmbedding: { ...common, kind: 'fromEmbedding', embedding: 'AAAAAA==' },
  mix: { ...common, kind: 'mix', prior, mode: 'sphere', parts: [{ image: source, weight: 1 }] },
  interpolate: {
    ...{ ...common, kind: 'interpolate', prior, position: 0.5 },
    from: { image: source },
    to: { prompt, seed: 1 },
  },
  edit: {
    ...{ ...common, kind: 'edit', source, from: prompt, to: 'a blue star' },
    ...{ strength: 0.4, noise: true, refinements: 2 },
  },
  reconstruct: { ...common, kind: 'reconstruct', inversion },
  imageToImage: { ...common, kind: 'imageToImage', source, prompt, prior, strength: 0.7 },
  inpaint: {
    ...{ ...common, kind: 'inpaint', source, prompt, prior, mask: { sha256 } },
    ...{ jumpLength: 5, resamples: 3, feather: 4 },
  },
  upscale: { ...withoutDecoder, kind: 'upscale', source },
} as const satisfies { [K in Recipe['kind']]: Extract<Recipe, { kind: K }> };

/** A recipe of a frame between two inversions. */
export const betweenInversions: Recipe = {
  ...recipes.interpolate,
  from: { inversion },
  to: { inversion },
};
