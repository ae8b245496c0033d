import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../../lib/images/decode.js';
import type { KarloImage } from '../../../lib/images/karlo-image.js';
import { Karlo } from '../../../lib/karlo.js';
import { blackPng } from '../../images/helpers/hostile.js';
import { testDevice } from '../../support/test-device.js';

const heart = fileURLToPath(new URL('../../fixtures/pictures/heart-0.png', import.meta.url));
const short = { decoder: { steps: 3 }, upsample: { steps: 2 }, seed: 1 };

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
});
afterAll(() => karlo.dispose());

describe('imageVariation', () => {
  test('accepts a path, a URL, bytes, raw pixels and a KarloImage', async () => {
    const pixels = await decodeImage(heart, 'image');
    const raw = { ...pixels, channels: 3 as const };
    const { images: own } = await karlo.imageVariation(raw, short);
    for (const input of [heart, new URL(`file://${heart}`), readFileSync(heart)]) {
      const { images } = await karlo.imageVariation(input, short);
      expect(images[0]?.data).toEqual(own[0]?.data);
    }
    const again = await karlo.imageVariation([own[0] as KarloImage, raw], short);
    expect(again.images[1]?.data).toEqual(own[0]?.data);
  });

  test('keeps the colours of the image', async () => {
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
    ['a path to nothing', '/nowhere.png', /the image '\/nowhere\.png': the file does not/],
    [
      'bytes that are not an image',
      Buffer.from('not a picture'),
      /the image: its format is not supported/,
    ],
    ['a number', 3, /Expected path, file: URL, .* for image but received 3/],
    [
      'too few raw pixels',
      { data: new Uint8Array(5), width: 2, height: 1, channels: 3 },
      /2 x 1 x 3 elements for image\.data/,
    ],
    ['one wrong among several', [heart, 3], /for image\[1\] but received 3/],
    ['an empty list', [], /non-empty array/],
  ])('rejects %s', async (_name, image, message) => {
    const error = await karlo
      .imageVariation(image as never, short)
      .catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect((error as Error).message).toMatch(message);
  });

  test('warns of a JPEG whose last bytes are missing', async () => {
    const jpeg = (await karlo.textToImage('a ring', { ...short, prior: { steps: 1 } })).images[0];
    const whole = await (jpeg as KarloImage).toBuffer('jpg');
    const { warnings } = await karlo.imageVariation(whole.subarray(0, -2), short);
    expect(warnings).toEqual([
      'image: the end of the file is missing: 128 of 128 rows can be read',
    ]);
  });

  test('limits the size of the image, unless an option raises the limits', async () => {
    const narrow = blackPng(2, 20_000);
    await expect(karlo.imageVariation(narrow, short)).rejects.toThrow(
      /2 x 20000 pixels; the limit for each side is 16384/,
    );
    const raised = { ...short, limitInputSide: 20_000 };
    expect((await karlo.imageVariation(narrow, raised)).images).toHaveLength(1);
    await expect(
      karlo.imageVariation(narrow, { ...raised, limitInputPixels: 39_999 }),
    ).rejects.toThrow(/more than 0\.039999 megapixels/);
    expect(() => karlo.imageVariation(narrow, { limitInputPixels: 0 })).toThrow(
      /integer between 1 and 4294967295 for limitInputPixels but received 0/,
    );
  });

  test('stops decoding when its signal aborts', async () => {
    const tall = blackPng(1, 20_000_000);
    const limits = { limitInputPixels: 20_000_000, limitInputSide: 10_000_000 };
    await expect(karlo.imageVariation(tall, { ...short, ...limits })).rejects.toThrow(/each side/);
    const large = blackPng(2, 10_000_000);
    const controller = new AbortController();
    const call = karlo.imageVariation(large, { ...short, ...limits, signal: controller.signal });
    const stopped = call.catch((reason) => [reason, performance.now()]);
    // Decoded next to it, so it has started.
    await karlo.imageVariation(heart, short);
    const start = performance.now();
    controller.abort('enough');
    const [reason, end] = (await stopped) as [unknown, number];
    expect(reason).toBe('enough');
    expect(end - start).toBeLessThan(100);
  });

  test('has no prior option', () => {
    expect(() => karlo.imageVariation(heart, { prior: {} } as never)).toThrow(
      /Unknown option prior/,
    );
  });
});
