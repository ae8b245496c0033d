import { describe, expect, test } from 'vitest';
import { clipScore, toTorchmetrics } from '../../../lib/eval/metrics/clip-score.js';
import { Prng } from '../../../lib/util/prng.js';
import { expectCode } from '../../support/expect-error.js';

describe('CLIP-score', () => {
  test('is the mean cosine, and 100 times that in torchmetrics', () => {
    const { cosine, torchmetrics } = clipScore([0.2, 0.3, 0.4]);
    expect(cosine.value).toBeCloseTo(0.3, 12);
    expect(torchmetrics.value).toBeCloseTo(30, 10);
    expect(torchmetrics.high).toBeCloseTo(100 * cosine.high, 10);
  });

  test('of torchmetrics is 0 for a negative mean', () => {
    expect(toTorchmetrics(-0.01)).toBe(0);
    expect(clipScore([-0.5, 0.1]).torchmetrics.value).toBe(0);
    // The mean is clamped, not each image.
    expect(clipScore([-0.1, 0.5]).torchmetrics.value).toBeCloseTo(20, 10);
  });

  test('has the standard error of a mean', () => {
    const prng = new Prng(5);
    const cosines = Array.from({ length: 400 }, () => prng.float());
    const { standardError, low, high } = clipScore(cosines, { replicates: 2000 }).cosine;
    // Of a uniform variable: sqrt(1/12) / sqrt(400).
    expect(Math.abs(standardError - 0.01443)).toBeLessThan(0.001);
    expect(high - low).toBeCloseTo(2 * 1.959964 * standardError, 12);
  });

  test('rejects no cosines, and unknown options', async () => {
    const code = 'ERR_KARLO_INVALID_ARGUMENT';
    await expectCode(code, () => clipScore([]), 'at least one cosine');
    await expectCode(code, () => clipScore([1], { replicates: 1 }), 'replicates');
    await expectCode(code, () => clipScore([1], { count: 3 } as object), 'count');
  });
});
