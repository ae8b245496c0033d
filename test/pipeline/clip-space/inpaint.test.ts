import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../../lib/images/karlo-image.js';
import type { Karlo } from '../../../lib/karlo.js';
import { failure, file, heart, loadTiny, pixelsOf, short, star } from './support.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await loadTiny();
});
afterAll(() => karlo.dispose());

describe('inpaint', () => {
  const edge = 128;
  const maskOf = (channels: 1 | 4, isWhite: (x: number) => boolean) => ({
    ...{ width: edge, height: edge, channels },
    data: Uint8Array.from({ length: channels * edge ** 2 }, (_, i) => {
      const white = isWhite(Math.floor(i / channels) % edge);
      // As grey, or as black pixels that are transparent.
      return channels === 1 ? (white ? 255 : 0) : i % 4 === 3 && !white ? 255 : 0;
    }),
  });
  const right = (x: number) => x >= 64;

  test('keeps the bytes of the input outside the feather', async () => {
    const input = await karlo.textToImage(heart, { ...short, seed: 1 });
    const image = input.images[0] as KarloImage;
    const options = { ...short, seed: 2, feather: 4, resamples: 2, jumpLength: 1 };
    const { images } = await karlo.inpaint(image, maskOf(1, right), star, options);
    const result = images[0] as KarloImage;
    let changed = 0;
    for (const [i, value] of result.data.entries()) {
      const x = Math.floor(i / 3) % edge;
      if (x < 60) expect(value).toBe(image.data[i]);
      else if (x >= 64 && value !== image.data[i]) changed += 1;
    }
    expect(changed).toBeGreaterThan(1000);
    const transparent = await karlo.inpaint(image, maskOf(4, right), star, options);
    expect(transparent.images[0]?.data).toEqual(result.data);
  });

  test('a mask of another size is stretched to the image', async () => {
    const small = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) } as const;
    const options = { ...short, seed: 2, resamples: 1 };
    const stretched = await karlo.inpaint(file, small, star, options);
    const full = await karlo.inpaint(file, maskOf(1, right), star, options);
    expect(pixelsOf(stretched)).toEqual(pixelsOf(full));
  });

  test('a mask that keeps everything is rejected, and one that keeps nothing is reported', async () => {
    expect(
      await failure(() =>
        karlo.inpaint(
          file,
          maskOf(1, () => false),
          star,
          short,
        ),
      ),
    ).toMatch(/^Expected a mask that is white or transparent/);
    const { warnings } = await karlo.inpaint(
      file,
      maskOf(1, () => true),
      star,
      { ...short, resamples: 1 },
    );
    expect(warnings).toEqual(['The mask repaints the whole image: nothing of it is kept']);
  });

  test('rejects a sampler that needs the steps before', async () => {
    const options = { decoder: { sampler: 'dpm++' } } as const;
    expect(await failure(() => karlo.inpaint(file, file, star, options))).toBe(
      "Expected 'ddpm' or 'ddim' for decoder.sampler but received 'dpm++': other samplers use the steps before, which resampling repeats",
    );
  });
});
