import { describe, expect, test } from 'vitest';
import { featheredAlpha, paste } from '../../lib/images/paste.js';

const edge = 16;
/** The square from 4 to 7 in both axes. */
const mask = Uint8Array.from({ length: edge ** 2 }, (_, i) =>
  [i % edge, Math.floor(i / edge)].every((at) => at >= 4 && at < 8) ? 1 : 0,
);

/** The distance of each pixel to the square. */
function distanceAt(i: number): number {
  const outside = [i % edge, Math.floor(i / edge)].map((at) => Math.max(4 - at, at - 7, 0));
  return Math.hypot(...outside);
}

describe('featheredAlpha', () => {
  test.each([0, 1, 3, 50])('falls with the distance to the mask, feather %i', (feather) => {
    const alpha = featheredAlpha(mask, edge, feather);
    for (const [i, value] of alpha.entries()) {
      expect(value).toBeCloseTo(Math.max(0, 1 - distanceAt(i) / (feather + 1)), 6);
    }
  });

  test('is 1 everywhere for a whole mask', () => {
    const alpha = featheredAlpha(new Uint8Array(edge ** 2).fill(1), edge, 4);
    expect(new Set(alpha)).toEqual(new Set([1]));
  });
});

test('pasted pixels are exactly the kept ones outside the feather', () => {
  const generated = { width: edge, height: edge, data: new Uint8Array(3 * edge ** 2).fill(200) };
  const kept = Uint8Array.from(generated.data, (_, i) => i % 100);
  const { data } = paste(generated, kept, featheredAlpha(mask, edge, 2));
  for (const [i, value] of data.entries()) {
    const distance = distanceAt(Math.floor(i / 3));
    if (distance === 0) expect(value).toBe(200);
    else if (distance >= 3) expect(value).toBe(kept[i]);
    else expect(value).toBeGreaterThan(kept[i] as number);
  }
});
