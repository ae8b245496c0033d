import { describe, expect, test } from 'vitest';
import { outlines, shapeOf } from '../../bench/quality/silhouettes.mjs';

const side = 64;

/** A red shape on white, in a quarter of the image. */
function drawn(shape: (x: number, y: number) => boolean, [left, top]: readonly [number, number]) {
  const data = Uint8Array.from({ length: 3 * side ** 2 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    const [x, y] = [pixel % side, Math.floor(pixel / side)];
    return i % 3 > 0 && shape((x - left) / 20, (top - y) / 20) ? 40 : 220;
  });
  return { width: side, height: side, data };
}

describe.each(Object.entries(outlines))('the outline of a %s', (name, shape) => {
  test.each([
    [32, 32],
    [30, 34],
  ] as const)('is recognised around %i, %i', (left, top) => {
    expect(shapeOf(drawn(shape, [left, top]))).toBe(name);
  });
});
