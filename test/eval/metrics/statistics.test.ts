import { describe, expect, test } from 'vitest';
import { FeatureStatistics, statisticsOf } from '../../../lib/eval/metrics/statistics.js';
import { expectCode } from '../../support/expect-error.js';
import { featuresOf, readGolden } from '../goldens.js';

describe('statistics of features', () => {
  test("are numpy's mean and cov", () => {
    const { mu, sigma } = readGolden<{ mu: number[]; sigma: number[][] }>('statistics.json');
    const { mean, covariance } = statisticsOf(featuresOf('statistics', 5, [20, 1, 0.5]));
    for (const [i, value] of mu.entries()) expect(mean[i]).toBeCloseTo(value, 12);
    for (const [i, value] of sigma.flat().entries()) expect(covariance[i]).toBeCloseTo(value, 12);
  });

  test('do not lose digits to a large mean', () => {
    const near = statisticsOf(featuresOf('offset', 3, [50, 1, 0]));
    const far = statisticsOf(
      featuresOf('offset', 3, [50, 1, 0]).map((row) => Float64Array.from(row, (x) => x + 1e6)),
    );
    for (const [i, value] of near.covariance.entries()) {
      expect(Math.abs((far.covariance[i] as number) - value)).toBeLessThan(1e-9);
    }
  });

  test('reject other dimensions, and fewer than two features', async () => {
    const statistics = new FeatureStatistics();
    statistics.add([1, 2]);
    const code = 'ERR_KARLO_INVALID_ARGUMENT';
    await expectCode(code, () => statistics.add([1, 2, 3]), '2 dimensions', '3');
    await expectCode(code, () => statistics.gaussian(), 'at least 2 features');
    expect(statistics.count).toBe(1);
  });
});
