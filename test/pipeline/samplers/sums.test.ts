import { expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import { schedule } from '../../../lib/pipeline/samplers/index.js';
import { denoise } from './loop.js';
import { torchRandn } from './torch-randn.js';

const config: SchedulerConfig = {
  trainSteps: 1000,
  betaSchedule: 'squaredcos_cap_v2',
  predictionType: 'epsilon',
  varianceType: 'fixed_small_log',
  clipSampleRange: 1,
  precision: 'float32',
};

/** arange(768).reshape(3, 8, 8, 4) / 768, permuted (3, 0, 1, 2). */
const sample = Float64Array.from(
  { length: 768 },
  (_, i) => ((i % 192) * 4 + Math.floor(i / 192)) / 768,
);
const dummy = (x: Float64Array, t: number) => ({ output: x.map((v) => (v * t) / (t + 1)) });

function sumOfLoop(steps: number, precision: 'float32' | 'float64'): number {
  const loop = schedule({ ...config, precision }, { steps });
  const last = denoise(loop, sample, dummy, { randn: torchRandn(0) }).at(-1);
  return last?.reduce((all, x) => all + Math.abs(x), 0) ?? Number.NaN;
}

test.each([
  [1000, 252.268],
  [25, 258.204],
])('a full loop of %d steps with the dummy sums to %d', (steps, sum) => {
  expect(Math.abs(sumOfLoop(steps, 'float32') - sum)).toBeLessThan(1e-2);
});

test('which rests on float32 tables: the last step then keeps 0.9995 of x0', () => {
  expect(schedule(config, { steps: 25 }).at(-1)?.mean.x0).toBeCloseTo(0.99947, 5);
  expect(schedule({ ...config, precision: 'float64' }, { steps: 25 }).at(-1)?.mean.x0).toBe(1);
  expect(sumOfLoop(25, 'float64')).toBeCloseTo(258.341, 2);
});

/** Read off torch 2.11: seed 0, the first and the second 768 numbers; seed 2^32 - 1, 16 numbers. */
test('the noise is torch’s', () => {
  const randn = torchRandn(0);
  const first = randn(768);
  expect(first[0]).toBeCloseTo(-1.1258398294448853, 6);
  expect(first[17]).toBeCloseTo(-1.6959311962127686, 6);
  expect(first[767]).toBeCloseTo(-0.23261602222919464, 6);
  expect(randn(768)[767]).toBeCloseTo(0.963564395904541, 6);
  expect(torchRandn(2 ** 32 - 1)(16)[0]).toBeCloseTo(-2.664297580718994, 6);
});
