import { describe, expect, test } from 'vitest';
import { kernelDistance } from '../../../lib/eval/metrics/kernel.js';
import { expectCode } from '../../support/expect-error.js';
import { featureCases, featuresOf } from '../goldens.js';

describe('the kernel distance', () => {
  test.each(featureCases<number>('kernel.json'))(
    'of $name sets is that of torch-fidelity',
    async ({ a, b, expected }) => {
      const { value, subsets, subsetSize } = await kernelDistance(a, b);
      expect(Math.abs(value - expected)).toBeLessThan(1e-9);
      expect([subsets, subsetSize]).toEqual([1, a.length]);
    },
  );

  test('is the mean over random subsets, whose deviation it reports', async () => {
    const [a, b] = [
      featuresOf('subsets/a', 8, [90, 1, 0]),
      featuresOf('subsets/b', 8, [120, 1, 1]),
    ];
    const options = { subsets: 200, subsetSize: 30, seed: 2 };
    const whole = await kernelDistance(a, b.slice(0, 90));
    const some = await kernelDistance(a, b, options);
    expect(some).toMatchObject({ subsets: 200, subsetSize: 30 });
    expect(some.subsetDeviation).toBeGreaterThan(0);
    expect(Math.abs(some.value - whole.value)).toBeLessThan(2 * some.subsetDeviation);
    expect(await kernelDistance(a, b, options)).toEqual(some);
  });

  test('has an interval that narrows with the number of images', async () => {
    const reference = featuresOf('interval/b', 8, [400, 1, 0]);
    const errorOf = async (count: number) => {
      const features = featuresOf('interval/a', 8, [count, 1, 0.5]);
      return (await kernelDistance(features, reference)).standardError;
    };
    const [few, many] = [await errorOf(25), await errorOf(400)];
    // A quarter, as the square root of 16 says.
    expect(few / many).toBeGreaterThan(2.5);
    expect(few / many).toBeLessThan(6);
  });

  test('rejects sets that cannot be compared', async () => {
    const rows = featuresOf('sizes', 4, [5, 1, 0]);
    const code = 'ERR_KARLO_INVALID_ARGUMENT';
    await expectCode(code, () => kernelDistance(rows.slice(1, 2), rows), 'at least 2 features');
    await expectCode(
      code,
      () => kernelDistance(rows, featuresOf('sizes', 3, [5, 1, 0])),
      '4 dimensions',
    );
    await expectCode(code, () => kernelDistance(rows, rows, { subsetSize: 1 }), 'subsetSize');
  });
});
