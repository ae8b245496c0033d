import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import type { Spacing } from '../../../lib/options/respacing.js';
import { DdpmSampler } from '../../../lib/pipeline/samplers/ddpm.js';
import { createSampler } from '../../../lib/pipeline/samplers/index.js';
import diffusers from '../../fixtures/schedule/diffusers.json' with { type: 'json' };
import original from '../../fixtures/schedule/original.json' with { type: 'json' };
import { config } from './config.js';
import { expectSamplesOf, loopsOf, settingsOf } from './original-loops.js';
import { runSampler } from './run-sampler.js';
import { torchRandn } from './torch-randn.js';

function ddpm(config: SchedulerConfig, spacing: Spacing): DdpmSampler {
  const sampler = createSampler(config, { spacing });
  expect(sampler).toBeInstanceOf(DdpmSampler);
  return sampler as DdpmSampler;
}

/** The largest relative difference of two lists. */
function apart(got: number[], want: number[]): number {
  expect(got).toHaveLength(want.length);
  return Math.max(...got.map((x, i) => Math.abs(x - (want[i] as number)) / (Math.abs(x) + 1e-30)));
}

describe.each(Object.entries(original.tables))('the table %s of Kakao’s program', (name, table) => {
  const betaSchedule = name.startsWith('linear ') ? 'linear' : 'squaredcos_cap_v2';
  const timestepRespacing = name.replace('linear ', '');
  const { timesteps, steps } = ddpm({ ...config, betaSchedule }, { timestepRespacing });

  test('timesteps', () => {
    expect(timesteps).toEqual(table.timesteps);
    expect(steps.map(({ t }) => t)).toEqual(table.timesteps);
  });

  test.each<[string, number, number[], number[]]>([
    ['beta', 1e-9, steps.map(({ beta }) => beta), table.betas],
    // alpha-bar goes down to 2e-9.
    ['alpha-bar', 1e-8, steps.map(({ alphaBar }) => alphaBar), table.alphas_cumprod],
    ['the mean of x0', 1e-9, steps.map(({ mean }) => mean.x0), table.posterior_mean_coef1],
    ['the mean of x', 1e-9, steps.map(({ mean }) => mean.x), table.posterior_mean_coef2],
    [
      // The two clip the last step's variance of 0 differently, and nothing reads it.
      'the log variance of all steps but the last',
      1e-9,
      steps.slice(0, -1).map(({ logVarianceMin }) => logVarianceMin),
      table.posterior_log_variance_clipped.slice(0, -1),
    ],
    ['x0 from x', 1e-9, steps.map(({ x0 }) => x0.x), table.sqrt_recip_alphas_cumprod],
    ['x0 from noise', 1e-9, steps.map(({ x0 }) => -x0.output), table.sqrt_recipm1_alphas_cumprod],
  ])('%s, to %d', (_name, tolerance, ours, theirs) => {
    expect(apart(ours, theirs)).toBeLessThan(tolerance);
  });
});

describe.each(diffusers)('$steps steps of diffusers', ({ steps: count, schedule: want }) => {
  const { timesteps, steps } = ddpm({ ...config, precision: 'float32' }, { steps: count });

  test('timesteps', () => {
    expect(timesteps).toEqual(want.map(({ t }) => t));
    expect(steps.map(({ t }) => t)).toEqual(want.map(({ t }) => t));
  });

  test('alpha-bar, bit for bit', () => {
    expect(steps.map((s) => s.alphaBar)).toEqual(want.map((s) => s.alpha_bar));
  });

  // The fixture computes the last step without the table of betas, which the scheduler reads there.
  const [ours, theirs] = [steps.slice(0, -1), want.slice(0, -1)];

  test.each<[string, number[], number[]]>([
    ['the mean of x0', ours.map(({ mean }) => mean.x0), theirs.map(({ x0 }) => x0)],
    ['the mean of x', ours.map(({ mean }) => mean.x), theirs.map(({ xt }) => xt)],
    ['std', ours.map(({ std }) => std), theirs.map(({ std }) => std)],
    ['the lower log variance', ours.map((s) => s.logVarianceMin), theirs.map((s) => s.min_log)],
    ['the upper log variance', ours.map((s) => s.logVarianceMax), theirs.map((s) => s.max_log)],
  ])('%s, to 1e-9 from the same float32 tables', (_name, ours, theirs) => {
    expect(apart(ours, theirs)).toBeLessThan(1e-9);
  });

  test('in float64, the same except for the rounding of the tables', () => {
    for (const [i, step] of ddpm(config, { steps: count }).steps.entries()) {
      const row = want[i] as (typeof want)[number];
      expect(Math.abs(step.alphaBar - row.alpha_bar)).toBeLessThan(1e-6);
      expect(Math.abs(step.mean.x0 - row.x0)).toBeLessThan(5e-5);
      expect(Math.abs(step.mean.x - row.xt)).toBeLessThan(5e-5);
    }
  });
});

test.each(loopsOf('ddpm'))('every sample of the loop $text $mean of Kakao’s program', (loop) => {
  const sampler = ddpm({ ...config, ...settingsOf(loop) }, { timestepRespacing: loop.text });
  expectSamplesOf(loop, sampler);
});

describe('steps', () => {
  test.each([
    ['fixed_small_log', 'fixed'],
    ['learned_range', 'learned'],
  ] as const)('with %s add %s noise, except for the last', (varianceType, noise) => {
    const { steps } = ddpm({ ...config, varianceType }, { steps: 25 });
    expect(steps.map((s) => s.noise)).toEqual([...Array(24).fill(noise), 'none']);
    expect(steps.at(-1)).toMatchObject({ last: true, std: 0, alphaBarPrevious: 1 });
    expect(steps.filter((s) => s.last)).toHaveLength(1);
  });

  test('a single step returns x0 itself', () => {
    const [only, ...more] = ddpm(config, { steps: 1 }).steps;
    expect(more).toEqual([]);
    expect(only).toMatchObject({ t: 999, last: true, noise: 'none', mean: { x0: 1, x: 0 } });
  });

  test('use the output as x0 if the network predicts the sample', () => {
    const [step] = ddpm({ ...config, predictionType: 'sample' }, { steps: 7 }).steps;
    expect(step?.x0).toEqual({ x: 0, output: 1 });
  });

  test('keep a sample at its noise level with any spacing', () => {
    const steps = fc.record({ steps: fc.integer({ min: 1, max: 1000 }) });
    const sections = fc.record({ timestepRespacing: fc.constantFrom('10,10,5', '3,2,1') });
    fc.assert(
      fc.property(fc.oneof(steps, sections), (spacing) => {
        for (const step of ddpm(config, spacing).steps) {
          // x_t = sqrt(a) x0 + sqrt(1 - a) e keeps that form with the next a, in mean and variance.
          const { mean, alphaBar, alphaBarPrevious, std } = step;
          const signal = mean.x0 + mean.x * Math.sqrt(alphaBar);
          expect(signal).toBeCloseTo(Math.sqrt(alphaBarPrevious), 9);
          const noise = mean.x ** 2 * (1 - alphaBar) + std ** 2;
          expect(noise).toBeCloseTo(1 - alphaBarPrevious, 9);
          expect(Number.isFinite(step.logVarianceMin)).toBe(true);
          expect(step.logVarianceMin).toBeLessThanOrEqual(step.logVarianceMax);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** The sum of a whole loop over arange(768).reshape(3, 8, 8, 4) / 768, permuted (3, 0, 1, 2). */
function sumOfLoop(steps: number, precision: 'float32' | 'float64'): number {
  const sampler = ddpm({ ...config, precision }, { steps });
  const sample = Float64Array.from(
    { length: 768 },
    (_, i) => ((i % 192) * 4 + Math.floor(i / 192)) / 768,
  );
  const model = (x: Float64Array, t: number) => ({ output: x.map((v) => (v * t) / (t + 1)) });
  const last = runSampler(sampler, sample, model, torchRandn(0)).at(-1);
  return last?.reduce((all, x) => all + Math.abs(x), 0) ?? Number.NaN;
}

describe('the sums of diffusers’ scheduler tests', () => {
  test.each([
    [1000, 252.268],
    [25, 258.204],
  ])('a whole loop of %d steps sums to %d', (steps, sum) => {
    expect(Math.abs(sumOfLoop(steps, 'float32') - sum)).toBeLessThan(1e-2);
  });

  test('depend on float32 tables: the last step then keeps 0.9995 of x0', () => {
    const lastOf = (precision: 'float32' | 'float64') =>
      ddpm({ ...config, precision }, { steps: 25 }).steps.at(-1);
    expect(lastOf('float32')?.mean.x0).toBeCloseTo(0.99947, 5);
    expect(lastOf('float64')?.mean.x0).toBe(1);
    expect(sumOfLoop(25, 'float64')).toBeCloseTo(258.341, 2);
  });
});
