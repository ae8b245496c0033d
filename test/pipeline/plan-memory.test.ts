import { beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import type { ResidencyMode } from '../../lib/options/descriptions.js';

const load = (memoryBudget: unknown, more = {}) =>
  Karlo.load({ device: 'cpu', dtype: 'float32', memoryBudget: memoryBudget as number, ...more });

/** Bytes for one image with either residency. */
let resident: number;
let staged: number;
beforeAll(async () => {
  const bytesOf = async (residency: ResidencyMode) => {
    await using karlo = await Karlo.load({ device: 'cpu', dtype: 'float32', residency });
    return (await karlo.estimate('textToImage')).bytes;
  };
  [resident, staged] = [await bytesOf('resident'), await bytesOf('staged')];
  expect(staged).toBeLessThan(resident);
});

describe('a memory budget', () => {
  test('keeps all weights if they fit, otherwise those of one stage', async () => {
    await using wide = await load(resident);
    expect(wide.residency).toBe('resident');
    await using narrow = await load(resident - 1);
    expect(narrow.residency).toBe('staged');
    await using requested = await load(10 * resident, { residency: 'staged' });
    expect(requested.residency).toBe('staged');
  });

  test('limits the batch to the images that fit', async () => {
    await using karlo = await load(3 * resident);
    const bytes = async (options: object) => (await karlo.estimate('textToImage', options)).bytes;
    expect(await bytes({ count: 1 })).toBe(resident);
    expect(await bytes({ count: 3 })).toBe(await bytes({ count: 3, batchSize: 3 }));
    expect(await bytes({ count: 1000 })).toBeLessThanOrEqual(3 * resident);
    await expect(bytes({ count: 1000, batchSize: 1000 })).rejects.toThrow(
      /^Expected integer between 1 and \d+ for batchSize but received 1000$/,
    );
    const { images } = await karlo.textToImage('a ring', { count: 2, seed: 0 });
    expect(images.map(({ recipe }) => recipe?.batchSize)).toEqual([2, 2]);
  });

  test('that is too small is rejected with the bytes needed', async () => {
    await expect(load(staged - 1)).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: expect.stringMatching(
        `at least ${staged} bytes for memoryBudget.*but received ${staged - 1}; dtype: 'bfloat16'`,
      ),
    });
    await expect(load(resident - 1, { residency: 'resident' })).rejects.toThrow(
      `at least ${resident} bytes`,
    );
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '4GB', {}])(
    'of %s is rejected',
    async (budget) => {
      await expect(load(budget)).rejects.toMatchObject({
        code: 'ERR_KARLO_INVALID_ARGUMENT',
        message: expect.stringMatching(
          /^Expected number of bytes above 0 for memoryBudget but received/,
        ),
      });
    },
  );
});
