import { describe, expect, test } from 'vitest';
import { candidateSeeds } from '../../lib/options/seeds.js';

describe('candidate seeds', () => {
  test('begin with the seed of the image, and wrap around at 2^32', () => {
    expect(candidateSeeds(5, 3)).toEqual([5, 2654435774, 1013904247]);
    expect(candidateSeeds(2 ** 32 - 1, 2)).toEqual([2 ** 32 - 1, 2654435768]);
  });

  test('of neighbouring images do not coincide', () => {
    const most = 64 * 64;
    const distances = candidateSeeds(0, most)
      .slice(1)
      .map((seed) => Math.min(seed, 2 ** 32 - seed));
    expect(Math.min(...distances)).toBeGreaterThan(100_000);
  });
});
