import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Karlo } from '../../../lib/karlo.js';
import { failure, file, heart, loadTiny, pixelsOf, star } from './support.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await loadTiny();
});
afterAll(() => karlo.dispose());

describe('edit', () => {
  test('of strength 0 with inverted noise reconstructs', async () => {
    const options = { upsample: { steps: 2 }, seed: 1 };
    const decoder = { steps: 4, guidanceScale: 1 };
    const edited = await karlo.edit(file, {
      ...{ from: heart, to: star, strength: 0, refinements: 1 },
      ...{ ...options, decoder },
    });
    const inversion = await karlo.invert(file, { steps: 4, refinements: 1 });
    expect(pixelsOf(edited)).toEqual(pixelsOf(await karlo.reconstruct(inversion, options)));
  });

  test.each<[object, string]>([
    [
      { from: heart },
      'Expected string for to but received undefined: it says what it should show instead',
    ],
    [
      { from: heart, to: heart },
      'Expected texts that differ for from and to, but CLIP does not distinguish them',
    ],
    [
      { from: heart, to: star, strength: 2 },
      'Expected number between 0 and 1 for strength but received 2',
    ],
    [
      { from: heart, to: star, decoder: { sampler: 'ddpm' } },
      "Expected 'ddim' with an eta of 0 (it leads from the inverted noise back) for decoder.sampler but received 'ddpm'",
    ],
  ])('rejects %o', async (options, message) => {
    expect(await failure(() => karlo.edit(file, options as never))).toBe(message);
  });
});
