import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../../lib/images/karlo-image.js';
import type { Karlo } from '../../../lib/karlo.js';
import { file, heart, loadTiny, pixelsOf, short, star } from './support.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await loadTiny();
});
afterAll(() => karlo.dispose());

describe('imageToImage', () => {
  test('of strength 1 is textToImage', async () => {
    const options = { ...short, seed: 2 };
    const image = await karlo.imageToImage(file, star, { ...options, strength: 1 });
    expect(pixelsOf(image)).toEqual(pixelsOf(await karlo.textToImage(star, options)));
  });

  test('of strength 0 is the resized input', async () => {
    const options = { ...short, seed: 2, stopAfter: 'decoder' as const };
    const { drafts } = await karlo.imageToImage(file, star, { ...options, strength: 0 });
    const again = await karlo.imageToImage(file, heart, { ...options, strength: 0 });
    expect(drafts[0]?.data).toEqual(again.drafts[0]?.data);
    // It survives as its own input.
    const twice = await karlo.imageToImage(drafts[0] as KarloImage, star, {
      ...options,
      strength: 0,
    });
    expect(twice.drafts[0]?.data).toEqual(drafts[0]?.data);
  });
});
