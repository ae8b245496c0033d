import { describe, expect, test } from 'vitest';
import { frechetDistance, frechetEstimate } from '../../../lib/eval/metrics/frechet.js';
import { statisticsOf } from '../../../lib/eval/metrics/statistics.js';
import { Prng } from '../../../lib/util/prng.js';
import { expectCode } from '../../support/expect-error.js';
import { featureCases, featuresOf } from '../goldens.js';

const cases = featureCases<{ sqrtm: number; exact: number }>('frechet.json');

describe('the Fréchet distance', () => {
  test.each(cases)('of $name features has no rounding errors', async ({ a, b, expected }) => {
    const distance = await frechetDistance(statisticsOf(a), statisticsOf(b));
    expect(Math.abs(distance - expected.exact)).toBeLessThan(1e-9);
  });

  // Each eigenvalue that is 0 adds its rounding error's square root to sqrtm: 3e-6 in those of 256 dimensions.
  test.each(cases.filter(({ name }) => name !== 'wide'))(
    "of $name features is that of scipy's sqrtm",
    async ({ a, b, expected }) => {
      const distance = await frechetDistance(statisticsOf(a), statisticsOf(b));
      expect(Math.abs(distance - expected.sqrtm)).toBeLessThan(1e-6);
    },
  );

  test('of a set to itself is 0', async () => {
    const set = statisticsOf(featuresOf('self', 32, [20, 1, 3]));
    expect(Math.abs(await frechetDistance(set, set))).toBeLessThan(1e-9);
  });

  test('of shifted sets is the squared shift', async () => {
    const set = featuresOf('shifted', 3, [200, 1, 0]);
    const moved = set.map((row) => row.map((x) => x + 2));
    const distance = await frechetDistance(statisticsOf(set), statisticsOf(moved));
    expect(distance).toBeCloseTo(3 * 2 ** 2, 9);
  });

  test('rejects statistics of another network', async () => {
    const three = statisticsOf(featuresOf('sizes', 3, [5, 1, 0]));
    const four = statisticsOf(featuresOf('sizes', 4, [5, 1, 0]));
    const compare = () => frechetDistance(three, four);
    await expectCode('ERR_KARLO_INVALID_ARGUMENT', compare, '3 dimensions', '4');
  });
});

describe('the interval of the Fréchet distance', () => {
  const reference = statisticsOf(featuresOf('reference', 8, [500, 1, 0]));

  test('is around the distance, and the same for the same seed', async () => {
    const features = featuresOf('interval', 8, [100, 1, 0.25]);
    const estimate = await frechetEstimate(features, reference, { seed: 3 });
    const distance = await frechetDistance(statisticsOf(features), reference);
    expect(estimate.value).toBe(distance);
    expect(estimate.low).toBeLessThan(distance);
    expect(estimate.high).toBeGreaterThan(distance);
    expect(await frechetEstimate(features, reference, { seed: 3 })).toEqual(estimate);
  });

  // The same distances from both Gram matrices: of the images, and of the dimensions.
  test.each([
    ['fewer', 6],
    ['more', 40],
  ])('is that of distances to drawn sets, with %s images than dimensions', async (_, count) => {
    const features = featuresOf('drawn', 8, [count, 1, 0.5]);
    const estimate = await frechetEstimate(features, reference, { seed: 1, replicates: 20 });
    const prng = new Prng(1);
    const distances: number[] = [];
    for (let i = 0; i < 20; i++) {
      const drawn = features.map(() => features[prng.below(count)] as Float32Array);
      distances.push(await frechetDistance(statisticsOf(drawn), reference));
    }
    const mean = distances.reduce((sum, one) => sum + one, 0) / 20;
    const variance = distances.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 19;
    expect(Math.abs(estimate.standardError - Math.sqrt(variance))).toBeLessThan(1e-6);
  });
});
