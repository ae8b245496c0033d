import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { embedWatermark } from '../../lib/images/watermark/embed.js';
import { readWatermark } from '../../lib/images/watermark/read.js';
import { Karlo } from '../../lib/karlo.js';
import { errorMessage } from '../options/error-message.js';
import { testDevice } from '../support/test-device.js';

const prompt = 'a red heart on a white background';
const photo = 'test/fixtures/pictures/heart-0.png';
const stages = { decoder: { steps: 3 }, upsample: { steps: 2 } };
const short = { ...stages, prior: { steps: 3 }, seed: 1 };
const watermark = 'ACME-1';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
});
afterAll(() => karlo.dispose());

test('the option adds a watermark to what the call generates without it', async () => {
  const plain = await karlo.textToImage(prompt, short);
  const { images } = await karlo.textToImage(prompt, { ...short, watermark });
  const [image] = images;
  expect(image?.data).toEqual(embedWatermark(plain.images[0] as never, watermark).data);
  expect(image?.recipe?.watermark).toBe(watermark);
  expect(plain.images[0]?.recipe).not.toHaveProperty('watermark');
  expect((await readWatermark(image as never))?.text).toBe(watermark);
  expect(await readWatermark(plain.images[0] as never)).toBeUndefined();
  const file = (await image?.toBuffer('jpg')) as Buffer;
  expect((await readWatermark(file))?.text).toBe(watermark);
  expect((await readRecipe(file))?.watermark).toBe(watermark);
});

test('a draft has none, and its image has that of the recipe', async () => {
  const options = { ...short, watermark };
  const { drafts } = await karlo.textToImage(prompt, { ...options, stopAfter: 'decoder' });
  const plain = await karlo.textToImage(prompt, { ...short, stopAfter: 'decoder' });
  expect(drafts[0]?.data).toEqual(plain.drafts[0]?.data);
  const { images } = await karlo.finish(drafts);
  const direct = await karlo.textToImage(prompt, options);
  expect(images[0]?.data).toEqual(direct.images[0]?.data);
});

test('images of every method have it', async () => {
  const small = { ...stages, seed: 1, watermark };
  const inversion = await karlo.invert(photo, { steps: 2, refinements: 0 });
  const calls = [
    karlo.imageVariation(photo, small),
    karlo.fromEmbedding(inversion.embedding, small),
    karlo.mix([{ image: photo }], small),
    karlo.interpolate({ image: photo }, { image: photo }, { ...small, frames: 2 }),
    karlo.edit(photo, { ...small, from: 'a heart', to: 'a star', refinements: 0 }),
    karlo.reconstruct(inversion, { upsample: { steps: 2 }, watermark }),
    karlo.imageToImage(photo, prompt, { ...short, watermark }),
    karlo.inpaint(photo, photo, prompt, { ...short, watermark, resamples: 1 }),
    karlo.upscale(photo, { upsample: { steps: 2 }, watermark }),
  ];
  for (const call of calls) {
    const { images } = await call;
    for (const image of images) {
      expect((await readWatermark(image))?.text, image.recipe?.kind).toBe(watermark);
    }
  }
});

test.each(['ACME 1', '123456789', 'ä', 7])('rejects %o before any work', (text) => {
  expect(errorMessage(() => karlo.textToImage(prompt, { watermark: text as never }))).toMatch(
    /^Expected 1 to 8 letters, digits or hyphens for watermark but received/,
  );
});
