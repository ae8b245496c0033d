import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../lib/image.js';
import { Karlo } from '../../lib/karlo.js';
import { readPicture } from '../../lib/stages/read-picture.js';

const heart = fileURLToPath(new URL('../fixtures/pictures/heart-0.png', import.meta.url));
const short = { decoder: { steps: 3 }, upsample: { steps: 2 }, seed: 1 };

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

describe('imageVariation', () => {
  test('takes a path, a URL, bytes, raw pixels and a picture of its own alike', async () => {
    const pixels = await readPicture(heart, 'image');
    const raw = { ...pixels, channels: 3 as const };
    const { images: own } = await karlo.imageVariation(raw, short);
    for (const input of [heart, new URL(`file://${heart}`), readFileSync(heart)]) {
      const { images } = await karlo.imageVariation(input, short);
      expect(images[0]?.data).toEqual(own[0]?.data);
    }
    const again = await karlo.imageVariation([own[0] as never, raw], short);
    expect(again.images[1]?.data).toEqual(own[0]?.data);
  });

  test('keeps the colours of the picture', async () => {
    const { images } = await karlo.imageVariation(heart, { seed: 0 });
    const [corner, middle] = [
      [8, 8],
      [60, 56],
    ].map(([x, y]) => {
      const at = 3 * (128 * (y as number) + (x as number));
      return [...(images[0] as KarloImage).data.subarray(at, at + 3)];
    }) as [number[], number[]];
    expect(Math.min(...corner)).toBeGreaterThan(150);
    expect(middle[0]).toBeGreaterThan((middle[1] as number) + 60);
  });

  test.each<[string, unknown, RegExp]>([
    ['a path to nothing', '/nowhere.png', /for image but '\/nowhere\.png' cannot be read/],
    ['bytes that are no picture', Buffer.from('not a picture'), /Expected a picture/],
    ['a number', 3, /Expected path, file: URL, .* for image but received 3/],
    [
      'too few raw pixels',
      { data: new Uint8Array(5), width: 2, height: 1, channels: 3 },
      /Expected path/,
    ],
    ['one wrong among several', [heart, 3], /for image\[1\] but received 3/],
    ['an empty list', [], /non-empty array/],
  ])('refuses %s', async (_name, image, message) => {
    const error = await karlo
      .imageVariation(image as never, short)
      .catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect((error as Error).message).toMatch(message);
  });

  test('a prior is no option of a variation', () => {
    expect(() => karlo.imageVariation(heart, { prior: {} } as never)).toThrow(
      /Unknown option prior/,
    );
  });
});

describe('reading pictures', () => {
  const grey = { create: { width: 40, height: 20, channels: 3 as const, background: '#5a5a5a' } };
  const red = { create: { width: 40, height: 20, channels: 3 as const, background: 'red' } };

  test('EXIF orientation is honoured', async () => {
    const turned = await sharp(red).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await readPicture(turned, 'image')).toMatchObject({ width: 20, height: 40 });
  });

  test.each<[string, () => Promise<Buffer>, number[]]>([
    ['alpha becomes white', () => transparent(), [255, 255, 255]],
    ['greyscale', () => sharp(grey).greyscale().png().toBuffer(), [90, 90, 90]],
    ['16 bits', () => sharp(red).toColourspace('rgb16').png().toBuffer(), [255, 0, 0]],
    ['a palette', () => sharp(red).png({ palette: true }).toBuffer(), [255, 0, 0]],
    ['CMYK', () => sharp(red).toColourspace('cmyk').jpeg().toBuffer(), [254, 0, 0]],
    ['WebP', () => sharp(red).webp({ lossless: true }).toBuffer(), [255, 0, 0]],
  ])('%s', async (_name, make, expected) => {
    const { data, width, height } = await readPicture(await make(), 'image');
    expect(data).toHaveLength(3 * width * height);
    for (const [c, value] of expected.entries()) {
      expect(Math.abs((data[c] as number) - value)).toBeLessThanOrEqual(30);
    }
  });

  function transparent() {
    const background = { r: 255, g: 0, b: 0, alpha: 0 };
    return sharp({ create: { width: 4, height: 4, channels: 4, background } })
      .png()
      .toBuffer();
  }

  test('a decompression bomb is refused', async () => {
    const create = { width: 20_000, height: 20_000, channels: 3 as const, background: 'white' };
    const bomb = await sharp({ create, limitInputPixels: false })
      .png({ compressionLevel: 9 })
      .toBuffer();
    expect(bomb.length).toBeLessThan(2e6);
    await expect(readPicture(bomb, 'image')).rejects.toThrow(/at most 100 megapixels/);
  });
});
