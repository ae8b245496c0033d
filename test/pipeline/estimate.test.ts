import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { openModel } from '../../lib/layouts/index.js';
import { unetCost } from '../../lib/networks/unet.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

describe('operations of a forward pass', () => {
  // PyTorch's FlopCounterMode counts 0.5805 GFLOP for two rows of the decoder, 2.8889 for one of
  // super-resolution.
  test.each([
    ['decoder', 0.5805e9 / 2],
    ['super_res_first', 2.8889e9],
  ] as const)('%s: within a tenth of PyTorch’s count', async (component, counted) => {
    const { configs } = await openModel(builtInModel('karlo-tiny'));
    const { flop } = unetCost(configs[component] as never);
    expect(Math.abs(flop / counted - 1)).toBeLessThan(0.1);
  });
});

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
