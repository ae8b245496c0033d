import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import type { StageOptions } from '../../lib/options/types.generated.js';

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

  test('counts only the halves that are computed', async () => {
    const seconds = async (decoder: StageOptions) =>
      (
        await karlo.estimate('textToImage', {
          decoder: { steps: 10, sampler: 'dpm++', ...decoder },
        })
      ).seconds;
    const [guided, half, unguided] = [
      await seconds({}),
      await seconds({ guidanceInterval: [0, 0.5] }),
      await seconds({ guidanceScale: 1 }),
    ];
    expect((half - unguided) / (guided - unguided)).toBeCloseTo(0.5, 5);
    expect(await seconds({ guidanceInterval: [0.99, 1] })).toBeCloseTo(unguided, 9);
  });

  test('follows what each method runs', async () => {
    const seconds = async (...args: Parameters<Karlo['estimate']>) =>
      (await karlo.estimate(...args)).seconds;
    const direct = await seconds('fromEmbedding');
    expect(await seconds('interpolate', { frames: 5 })).toBeGreaterThan(5 * direct);
    expect(await seconds('mix')).toBeCloseTo(await seconds('textToImage'), 5);
    const edit = { decoder: { steps: 25, guidanceScale: 4 } };
    const steps = { steps: 25, refinements: 2 };
    expect(
      (await seconds('edit', edit)) - (await seconds('edit', { ...edit, noise: false })),
    ).toBeCloseTo(await seconds('invert', steps), 5);
    expect(await seconds('inpaint', { resamples: 1 })).toBeCloseTo(await seconds('textToImage'), 5);
    expect(await seconds('inpaint', { resamples: 4 })).toBeGreaterThan(1.5 * direct);
    const half = await seconds('imageToImage', { strength: 0.5 });
    expect(half).toBeLessThan(await seconds('textToImage'));
    expect(await seconds('upscale')).toBeLessThan(direct);
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
