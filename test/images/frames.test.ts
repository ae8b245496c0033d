import sharp from 'sharp';
import { expect, test } from 'vitest';
import { countFrames } from '../../lib/images/frames.js';
import { manyFrames } from './helpers/hostile.js';

async function animation(format: 'gif' | 'webp', frames: number): Promise<Buffer> {
  const images = Array.from({ length: frames }, (_, i) =>
    sharp({ create: { width: 9, height: 7, channels: 3, background: { r: 40 * i, g: 0, b: 90 } } })
      .png()
      .toBuffer(),
  );
  return sharp(await Promise.all(images), { join: { animated: true } })
    .toFormat(format, { delay: Array(frames).fill(50) })
    .toBuffer();
}

test.each(['gif', 'webp'] as const)('counts as many frames of a %s as sharp', async (format) => {
  const bytes = await animation(format, 5);
  expect((await sharp(bytes).metadata()).pages).toBe(5);
  expect(countFrames(bytes, 100)).toBe(5);
});

test('stops above the limit', () => {
  expect(countFrames(manyFrames(30), 10)).toBe(11);
});

test('counts no frames of other formats, and ends with truncated files', async () => {
  const png = await sharp(manyFrames(1)).png().toBuffer();
  expect(countFrames(png, 10)).toBe(0);
  for (const bytes of [await animation('gif', 3), await animation('webp', 3)]) {
    for (let length = 0; length < bytes.length; length += 7) {
      expect(countFrames(bytes.subarray(0, length), 10)).toBeLessThanOrEqual(3);
    }
  }
});
