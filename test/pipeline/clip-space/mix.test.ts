import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedding } from '../../../lib/embeddings/embedding.js';
import type { Karlo } from '../../../lib/karlo.js';
import {
  failure,
  file,
  heart,
  loadTiny,
  pixelsOf,
  samplesOf,
  short,
  stages,
  star,
} from './support.js';

let karlo: Karlo;
/** Samples of the prior. */
let [a, b]: Embedding[] = [];
beforeAll(async () => {
  karlo = await loadTiny();
  [a, b] = await samplesOf(karlo);
});
afterAll(() => karlo.dispose());

describe('mix', () => {
  test.each(['sphere', 'linear'] as const)(
    'with weights 1 and 0 is the first part, %s',
    async (mode) => {
      const options = { ...stages, seed: 3 };
      const parts = [
        { embedding: a as Embedding, weight: 1 },
        { embedding: b as Embedding, weight: 0 },
      ];
      const mixed = await karlo.mix(parts, { ...options, mode });
      expect(pixelsOf(mixed)).toEqual(pixelsOf(await karlo.fromEmbedding(a as Embedding, options)));
    },
  );

  test('takes images, prompts and embeddings', async () => {
    const parts = [{ image: file }, { prompt: star, seed: 2, weight: 2 }, a as Embedding];
    const { images } = await karlo.mix(parts, { ...short, seed: 3 });
    expect(images[0]?.recipe).toMatchObject({
      kind: 'mix',
      mode: 'sphere',
      parts: [
        { image: { fit: 'cover' }, weight: 1 },
        { prompt: star, seed: 2, weight: 2 },
        { embedding: expect.any(String), weight: 1 },
      ],
    });
    const sampled = [{ image: file }, { embedding: b as Embedding, weight: 2 }, a as Embedding];
    const same = await karlo.mix(sampled, { ...stages, seed: 3 });
    expect(pixelsOf({ images })).toEqual(pixelsOf(same));
  });

  test('of prompts has their mean as the text of the decoder', async () => {
    const options = { ...short, seed: 3 };
    const [first, second] = [
      { prompt: heart, seed: 1 },
      { prompt: star, seed: 2 },
    ];
    const mixed = (weights: [number, number], more: object = {}) =>
      karlo.mix(
        [
          { ...first, weight: weights[0] },
          { ...second, weight: weights[1] },
        ],
        { ...options, ...more },
      );
    const own = await karlo.fromEmbedding(a as Embedding, { ...stages, seed: 3, prompt: heart });
    expect(pixelsOf(await mixed([1, 0]))).toEqual(pixelsOf(own));
    const [both, other, none] = [
      await mixed([1, 1]),
      await mixed([1, 1], { prompt: star }),
      await mixed([1, 1], { prompt: '' }),
    ].map(pixelsOf);
    expect(both).not.toEqual(other);
    expect(both).not.toEqual(none);
  });

  test.each<[string, unknown[], string]>([
    [
      'no parts',
      [],
      'Expected array of 1 to 16 parts for parts but received an array of 0 elements',
    ],
    [
      'a weight that is NaN',
      [{ prompt: heart, weight: Number.NaN }],
      'Expected number between -1000 and 1000 for parts[0].weight but received NaN',
    ],
    [
      'weights of 0',
      [{ prompt: heart, weight: 0 }],
      'Expected weights with a sum above 0 but received 0 = 0',
    ],
    [
      'two sources',
      [{ prompt: heart, image: file }],
      'Expected Embedding, or an object with either image, prompt or embedding, for parts[0] but received a value of type Object: it has image and prompt',
    ],
    ['a text', ['heart.png'], "Expected object for parts[0] but received 'heart.png'"],
  ])('is rejected with %s', async (_name, parts, message) => {
    expect(await failure(() => karlo.mix(parts as never))).toBe(message);
  });
});
