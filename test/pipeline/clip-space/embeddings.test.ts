import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedding } from '../../../lib/embeddings/embedding.js';
import { cosine } from '../../../lib/embeddings/embedding.js';
import type { Karlo } from '../../../lib/karlo.js';
import {
  failure,
  file,
  heart,
  loadTiny,
  pixelsOf,
  prior,
  samplesOf,
  stages,
  star,
} from './support.js';

let karlo: Karlo;
/** A sample of the prior. */
let a: Embedding | undefined;
beforeAll(async () => {
  karlo = await loadTiny();
  [a] = await samplesOf(karlo);
});
afterAll(() => karlo.dispose());

describe('embeddings', () => {
  test('of an image generate what its variation is', async () => {
    const embedding = await karlo.embedImage(file);
    expect(embedding.kind).toBe('image');
    const options = { ...stages, seed: 5, count: 2 };
    const [direct, variation] = [
      await karlo.fromEmbedding(embedding, options),
      await karlo.imageVariation(file, options),
    ];
    expect(pixelsOf(direct)).toEqual(pixelsOf(variation));
  });

  test('of a prompt depend on its seed and negative prompt', async () => {
    const again = await karlo.embedText(heart, { seed: 1, prior });
    expect(again).toEqual(a);
    const others = [{ seed: 3 }, { seed: 1, negativePrompt: star }];
    for (const other of others) {
      expect((await karlo.embedText(heart, { ...other, prior })).data).not.toEqual(a?.data);
    }
  });

  test('of texts are closest to images of the same', async () => {
    const texts = await Promise.all([heart, star].map((text) => karlo.textFeatures(text)));
    const [own, other] = texts.map((text) => cosine(text, a as Embedding)) as [number, number];
    expect(own).toBeGreaterThan(other);
  });

  test('of other weights are refused before any work', async () => {
    const { name } = (a as Embedding).model;
    const foreign = Object.assign(Object.create(Object.getPrototypeOf(a)), a, {
      model: { name: 'other', sha256: 'f'.repeat(64) },
    });
    expect(await failure(() => karlo.fromEmbedding(foreign, stages))).toBe(
      `Expected an embedding of the loaded model, ${name}, but received one of other, whose weights are different. Load the model that made it`,
    );
    expect(await failure(() => karlo.fromEmbedding([], stages))).toMatch(
      /^Expected Embedding or non-empty array/,
    );
    const text = await karlo.textFeatures(heart);
    expect(await failure(() => karlo.fromEmbedding(text))).toBe(
      "Expected embedding of kind 'image' for embedding but received 'text': embedText samples the image embedding of a prompt",
    );
  });
});
