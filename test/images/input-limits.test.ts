import { expect, test } from 'vitest';
import { decodingSeconds, defaultLimits, excessOf } from '../../lib/images/input-limits.js';

test('the decoded bytes are limited to 8 for each pixel of the limit', () => {
  const limits = { pixels: 4096, side: 64 };
  const square = { width: 64, height: 64, frames: 1 };
  expect(excessOf({ ...square, pixelBytes: 8 }, limits)).toBeUndefined();
  expect(excessOf({ ...square, pixelBytes: 10 }, limits)).toBe(
    'it has 40960 bytes of pixels; the limit is 32768. Convert it to 8 bits first',
  );
});

test('the time for decoding grows with the limit', () => {
  expect(decodingSeconds(defaultLimits)).toBe(50);
  expect(decodingSeconds({ pixels: 32e6, side: 16_384 })).toBe(16);
  expect(decodingSeconds({ pixels: 1, side: 1 })).toBe(10);
});
