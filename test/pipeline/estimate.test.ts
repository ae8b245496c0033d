import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

describe('estimate', () => {
  test('follows the settings', async () => {
    await karlo.textToImage('a ring', { seed: 0 });
    const [one, four, long, unguided] = [
      await karlo.estimate('textToImage'),
      await karlo.estimate('textToImage', { count: 4 }),
      await karlo.estimate('textToImage', { decoder: { steps: 50 } }),
      await karlo.estimate('imageVariation', { decoder: { guidanceScale: 1 } }),
    ];
    expect(four.seconds / one.seconds).toBeCloseTo(4, 5);
    expect(four.bytes).toBe(one.bytes);
    expect(long.seconds).toBeGreaterThan(1.2 * one.seconds);
    expect(unguided.seconds).toBeLessThan(one.seconds);
    const batch = await karlo.estimate('textToImage', { count: 4, batchSize: 4 });
    expect(batch.bytes).toBeGreaterThan(one.bytes);
  });

  test('is of the order of the time taken', async () => {
    const { seconds } = await karlo.estimate('textToImage');
    const { timings } = await karlo.textToImage('a ring', { seed: 0 });
    expect(seconds / timings.total).toBeGreaterThan(0.1);
    expect(seconds / timings.total).toBeLessThan(10);
  });

  test('works before the first call, and staged needs less memory', async () => {
    await using staged = await Karlo.load({ device: 'cpu', residency: 'staged' });
    const estimate = await staged.estimate('textToImage');
    expect(estimate.seconds).toBeGreaterThan(0);
    expect(estimate.bytes).toBeLessThan((await karlo.estimate('textToImage')).bytes);
  });

  test('rejects an unknown task and wrong options', async () => {
    await expect(karlo.estimate('video' as never)).rejects.toThrow(/kind/);
    await expect(karlo.estimate('textToImage', { count: 0 })).rejects.toThrow(/count/);
  });
});
