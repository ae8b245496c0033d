import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../lib/images/decode.js';
import type { Pixels } from '../../lib/images/pixels.js';
import { redact } from '../../lib/images/redact.js';

const heart = await decodeImage('test/fixtures/pictures/heart-0.png');

/** The largest difference of neighbouring pixels. */
function sharpness({ width, height, data }: Pixels): number {
  let largest = 0;
  for (let i = 3; i < data.length; i += 1) {
    const isFirst = i % (3 * width) < 3;
    if (!isFirst)
      largest = Math.max(largest, Math.abs((data[i] as number) - (data[i - 3] as number)));
  }
  expect(data).toHaveLength(3 * width * height);
  return largest;
}

describe('redact', () => {
  test('a blurred image has no edges', async () => {
    expect(sharpness(heart)).toBeGreaterThan(100);
    const blurred = await redact(heart, 'blur');
    expect([blurred.width, blurred.height]).toEqual([heart.width, heart.height]);
    expect(sharpness(blurred)).toBeLessThan(16);
  });

  test('images that differ in details only are blurred to the same pixels', async () => {
    const data = Uint8Array.from(heart.data);
    const size = 3 * heart.width;
    // Swaps rows within a cell of the small image.
    const [a, b] = [data.slice(60 * size, 61 * size), data.slice(50 * size, 51 * size)];
    data.set(a, 50 * size);
    data.set(b, 60 * size);
    const [one, other] = await Promise.all([
      redact(heart, 'blur'),
      redact({ ...heart, data }, 'blur'),
    ]);
    const differences = one.data.map((value, i) => Math.abs(value - (other.data[i] as number)));
    expect(Math.max(...differences)).toBeLessThanOrEqual(6);
  });

  test('small images are blurred, too', async () => {
    const data = Uint8Array.from({ length: 3 * 5 * 3 }, (_, i) => (i % 2) * 255);
    const { width, height } = await redact({ width: 5, height: 3, data }, 'blur');
    expect([width, height]).toEqual([5, 3]);
  });

  test('a blackened image has no colour', async () => {
    expect((await redact(heart, 'black')).data.every((value) => value === 0)).toBe(true);
  });
});
