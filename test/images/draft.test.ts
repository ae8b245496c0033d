import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import { KarloDraft } from '../../lib/images/draft.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { readDraft } from '../../lib/images/read-draft.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import type { Recipe } from '../../lib/images/recipe.js';
import { insertPngText } from '../../lib/images/recipe-metadata.js';

const recipe: Recipe = {
  format: 1,
  kind: 'textToImage',
  prompt: 'a red heart',
  seed: 5,
  selection: { seed: 5, scores: [0.5, 0.25] },
  sampling: 'fast',
  prior: { steps: 25, guidanceScale: 4 },
  decoder: { steps: 25, guidanceScale: 8 },
  upsample: { steps: 7, guidanceScale: 1 },
  batchSize: 1,
  dtype: 'float32',
  device: 'cpu',
  model: { name: 'karlo-tiny', sha256: '0a'.repeat(32) },
  versions: { karlo: '0.1.0', libtorch: '2.11.0' },
};

const count = 3 * 8 * 8;
const data = {
  ...{ width: 8, height: 8, seed: 5 },
  data: Uint8Array.from({ length: count }, (_, i) => i),
  values: Float32Array.from({ length: count }, (_, i) => Math.sin(i)),
  drawn: [
    [96, 25],
    [count, 25],
  ] as const,
};
const draft = new KarloDraft(data, recipe);
const image = new KarloImage(data, 5, recipe);

test('a draft is read back from its PNG file, bit by bit', async () => {
  const png = await draft.toBuffer();
  expect(await readDraft(png)).toEqual(draft);
  expect(await readRecipe(png)).toEqual(recipe);
  expect((await sharp(png).metadata()).width).toBe(8);
});

/** The image as a file, with the data of a draft. */
async function fileWith(changes: object): Promise<Buffer> {
  const values = Buffer.from(data.values.buffer).toString('base64');
  const json = JSON.stringify({ format: 1, drawn: data.drawn, values, ...changes });
  return insertPngText(await image.toBuffer(), 'karlo-draft', json);
}

const base64 = (values: Float32Array) => Buffer.from(values.buffer).toString('base64');

describe('a file that is not an intact draft is rejected', () => {
  test('although the same file without a fault is read', async () => {
    expect(await readDraft(await fileWith({}))).toEqual(draft);
  });

  test.each<[string, () => Promise<Buffer>, RegExp]>([
    ['another image', () => image.toBuffer(), /^Expected a draft in image but it has no intact/],
    ['another format', () => image.toBuffer('webp'), /^Expected a draft in image/],
    [
      'a draft that was saved again',
      async () =>
        sharp(await draft.toBuffer())
          .png()
          .toBuffer(),
      /another program saved it again/,
    ],
    [
      'a draft without its recipe',
      async () =>
        insertPngText(await image.toBuffer('png', { recipe: false }), 'karlo-draft', '{}'),
      /^Expected a draft in image/,
    ],
    ['a newer format', () => fileWith({ format: 2 }), /of a newer version of karlo/],
    ['values that are not base64', () => fileWith({ values: '?' }), /its data are damaged/],
    [
      'too few values',
      () => fileWith({ values: 'AAAA' }),
      /expected 192 float32 values but received 3 bytes/,
    ],
    [
      'a value that is not a number',
      () => fileWith({ values: base64(data.values.with(3, Number.NaN)) }),
      /expected values between -1 and 1/,
    ],
    [
      'a value out of range',
      () => fileWith({ values: base64(data.values.with(3, 1.5)) }),
      /expected values between -1 and 1/,
    ],
    [
      'noise that takes hours to draw',
      () => fileWith({ drawn: [[2 ** 40, 2 ** 12]] }),
      /noise of at most 1000 steps/,
    ],
    ['noise of a negative size', () => fileWith({ drawn: [[-1, 5]] }), /its data are damaged/],
    [
      'too many kinds of noise',
      () => fileWith({ drawn: Array(99).fill([1, 1]) }),
      /its data are damaged/,
    ],
  ])('%s', async (_name, file, message) => {
    await expect(readDraft(await file())).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  test('any damaged byte is an error, or leaves the draft as it is', async () => {
    const png = await draft.toBuffer();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(png.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const damaged = Buffer.from(png);
          damaged[at] = (damaged[at] as number) ^ flip;
          const read = await readDraft(damaged).catch((error: unknown) => error);
          if (read instanceof KarloDraft) expect(read.values).toEqual(draft.values);
          else expect(read).toBeInstanceOf(KarloError);
        },
      ),
      { numRuns: 300 },
    );
  });
});
