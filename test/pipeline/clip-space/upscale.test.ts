import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedding } from '../../../lib/embeddings/embedding.js';
import type { KarloImage } from '../../../lib/images/karlo-image.js';
import { readRecipe } from '../../../lib/images/read-recipe.js';
import type { Karlo } from '../../../lib/karlo.js';
import type { GenerationTask } from '../../../lib/pipeline/task.js';
import { file, heart, loadTiny, samplesOf, short, stages, star } from './support.js';

let karlo: Karlo;
/** Samples of the prior. */
let [a, b]: Embedding[] = [];
beforeAll(async () => {
  karlo = await loadTiny();
  [a, b] = await samplesOf(karlo);
});
afterAll(() => karlo.dispose());

describe('upscale', () => {
  test('of a draft is its image without the noise that was drawn before', async () => {
    const { drafts } = await karlo.textToImage(heart, { ...short, seed: 3, stopAfter: 'decoder' });
    const { images } = await karlo.upscale(drafts[0] as KarloImage, {
      seed: 3,
      upsample: { steps: 2 },
    });
    expect([images[0]?.width, images[0]?.recipe?.kind]).toEqual([128, 'upscale']);
  });

  test('takes an image of one pixel', async () => {
    const dot = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) } as const;
    const { images } = await karlo.upscale([dot, dot], { seed: [3, 3], upsample: { steps: 2 } });
    expect(images).toHaveLength(4);
    expect(images[0]?.data).toEqual(images[2]?.data);
  });
});

test.each<[string, (options: { signal: AbortSignal }) => PromiseLike<unknown>]>([
  ['mix', (options) => karlo.mix([a as Embedding], options)],
  ['interpolate', (options) => karlo.interpolate(a as Embedding, b as Embedding, options)],
  ['edit', (options) => karlo.edit(file, { from: heart, to: star, ...options })],
  ['invert', (options) => karlo.invert(file, options)],
  ['inpaint', (options) => karlo.inpaint(file, file, heart, options)],
])('%s is aborted', async (_name, start) => {
  const controller = new AbortController();
  const running = start({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(Promise.resolve(running)).rejects.toThrow('enough');
});

test('recipes are read again from image files', async () => {
  const tasks: GenerationTask[] = [
    karlo.fromEmbedding(a as Embedding, { ...stages, seed: 1, prompt: heart }),
    karlo.mix([{ image: file }], { ...stages, seed: 1 }),
    karlo.interpolate(a as Embedding, b as Embedding, { ...stages, seed: 1, frames: 2 }),
    karlo.edit(file, { ...stages, seed: 1, from: heart, to: star, refinements: 0 }),
    karlo.imageToImage(file, heart, { ...short, seed: 1 }),
    karlo.inpaint(file, { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) }, heart, {
      ...short,
      seed: 1,
    }),
    karlo.upscale(file, { seed: 1, upsample: { steps: 2 } }),
  ];
  for (const task of tasks) {
    const { images } = await task;
    const recipe = await readRecipe(await (images[0] as KarloImage).toBuffer());
    expect(recipe).toEqual(JSON.parse(JSON.stringify(images[0]?.recipe)));
  }
});
