import type { Pixels } from '../../../lib/images/pixels.js';

/** `pattern` of test/reference/preprocessing.py. */
export function pattern(width: number, height: number): Pixels {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < data.length; i++) {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const v = x * 73 + y * 151 + c * 199;
    const noise = ((v * v + (x ^ y) * 31) & 0xffff) >> 8;
    data[i] = ((x + 2 * y) >> 4) & 1 ? noise : x * 3 + y * 5 + c * 80;
  }
  return { width, height, data };
}
