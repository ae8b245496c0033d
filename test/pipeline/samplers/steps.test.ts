import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import {
  betas,
  noiseTables,
  type Spacing,
  schedule,
} from '../../../lib/pipeline/samplers/index.js';
import diffusers from '../../fixtures/schedule/diffusers.json' with { type: 'json' };
import original from '../../fixtures/schedule/original.json' with { type: 'json' };
import { denoise } from './loop.js';

const config: SchedulerConfig = {
  trainSteps: 1000,
  betaSchedule: 'squaredcos_cap_v2',
  predictionType: 'epsilon',
  varianceType: 'fixed_small_log',
  clipSampleRange: 1,
  precision: 'float64',
};

/** Largest relative difference of two lists. */
function apart(got: number[], want: number[]): number {
  expect(got).toHaveLength(want.length);
  return Math.max(...got.map((x, i) => Math.abs(x - (want[i] as number)) / (Math.abs(x) + 1e-30)));
}

describe.each(Object.entries(original.tables))('the original program’s table %s', (name, table) => {
  const linear = name.startsWith('linear ');
  const kind = linear ? 'linear' : 'squaredcos_cap_v2';
  const timestepRespacing = name.replace('linear ', '');
  const steps = schedule({ ...config, betaSchedule: kind }, { timestepRespacing });

  test('timesteps', () => expect(steps.map((step) => step.t)).toEqual(table.timesteps));

  test('coefficients, to 1e-9 in float64 (alpha-bar, down to 2e-9, to 1e-8)', () => {
    // The last step is left out where the two clip a variance of 0 differently: nothing reads it.
    expect(
      apart(
        steps.map((s) => s.beta),
        table.betas,
      ),
    ).toBeLessThan(1e-9);
    expect(
      apart(
        steps.map((s) => s.alphaBar),
        table.alphas_cumprod,
      ),
    ).toBeLessThan(1e-8);
    expect(
      apart(
        steps.map((s) => s.mean.x0),
        table.posterior_mean_coef1,
      ),
    ).toBeLessThan(1e-9);
    expect(
      apart(
        steps.map((s) => s.mean.sample),
        table.posterior_mean_coef2,
      ),
    ).toBeLessThan(1e-9);
    const least = steps.slice(0, -1).map((s) => s.logVarianceMin);
    const clipped = table.posterior_log_variance_clipped.slice(0, -1);
    expect(apart(least, clipped)).toBeLessThan(1e-9);
    const scale = steps.map((s) => s.predict.sample);
    expect(apart(scale, table.sqrt_recip_alphas_cumprod)).toBeLessThan(1e-9);
    const noise = steps.map((s) => -s.predict.output);
    expect(apart(noise, table.sqrt_recipm1_alphas_cumprod)).toBeLessThan(1e-9);
  });
});

describe.each(diffusers)('diffusers’ $steps steps', ({ steps: count, schedule: want }) => {
  const steps = schedule({ ...config, precision: 'float32' }, { steps: count });

  test('timesteps', () => expect(steps.map((s) => s.t)).toEqual(want.map((s) => s.t)));

  test('alpha-bar, bit by bit', () => {
    expect(steps.map((s) => s.alphaBar)).toEqual(want.map((s) => s.alpha_bar));
  });

  test('coefficients, to 1e-9 from the same float32 tables', () => {
    // Its last step is worked out without the table of betas, which the scheduler proper reads there.
    const [ours, theirs] = [steps.slice(0, -1), want.slice(0, -1)];
    expect(
      apart(
        ours.map((s) => s.mean.x0),
        theirs.map((s) => s.x0),
      ),
    ).toBeLessThan(1e-9);
    expect(
      apart(
        ours.map((s) => s.mean.sample),
        theirs.map((s) => s.xt),
      ),
    ).toBeLessThan(1e-9);
    expect(
      apart(
        ours.map((s) => s.std),
        theirs.map((s) => s.std),
      ),
    ).toBeLessThan(1e-9);
    const [least, most] = [ours.map((s) => s.logVarianceMin), ours.map((s) => s.logVarianceMax)];
    expect(
      apart(
        least,
        theirs.map((s) => s.min_log),
      ),
    ).toBeLessThan(1e-9);
    expect(
      apart(
        most,
        theirs.map((s) => s.max_log),
      ),
    ).toBeLessThan(1e-9);
  });

  test('in float64, the same but for its rounding', () => {
    for (const [i, step] of schedule(config, { steps: count }).entries()) {
      const row = want[i] as (typeof want)[number];
      expect(Math.abs(step.alphaBar - row.alpha_bar)).toBeLessThan(1e-6);
      expect(Math.abs(step.mean.x0 - row.x0)).toBeLessThan(5e-5);
      expect(Math.abs(step.mean.sample - row.xt)).toBeLessThan(5e-5);
    }
  });
});

describe.each(original.loops)('the original program’s loop $text $mean', (loop) => {
  test('every sample of it, to float32', () => {
    const steps = schedule(
      {
        ...config,
        predictionType: loop.mean === 'START_X' ? 'sample' : 'epsilon',
        varianceType: loop.learned ? 'learned_range' : 'fixed_small_log',
      },
      { timestepRespacing: loop.text },
    );
    const start = Float64Array.from({ length: 8 }, (_, i) => -2 + (4 * i) / 7);
    let current: Float64Array = start;
    const samples = denoise(
      steps,
      start,
      (x, t) => {
        current = x;
        const output = x.map((value) => (Math.sin(3 * value) * (t + 1)) / 1000);
        return { output, variance: x.map(Math.cos) };
      },
      { randn: () => current.map((value) => Math.sin(value * 7)) },
    );
    expect(samples).toHaveLength(loop.samples.length);
    const gaps = samples.flatMap((sample, i) =>
      [...sample].map((value, k) => Math.abs(value - (loop.samples[i]?.[k] as number))),
    );
    expect(Math.max(...gaps)).toBeLessThan(2e-5);
  });
});

describe('steps', () => {
  const kinds: [Spacing, SchedulerConfig['varianceType'], string][] = [
    [{ steps: 25 }, 'fixed_small_log', 'fixed'],
    [{ steps: 25 }, 'learned_range', 'learned'],
    [{ timestepRespacing: 'ddim25' }, 'learned_range', 'none'],
    [{ timestepRespacing: 'fast27' }, 'fixed_small_log', 'none'],
  ];

  test.each(kinds)(
    '%o with %s draws noise of kind %s, the last step none',
    (spacing, varianceType, kind) => {
      const steps = schedule({ ...config, varianceType }, spacing);
      expect(steps.map((s) => s.noise)).toEqual([...Array(steps.length - 1).fill(kind), 'none']);
      expect(steps.at(-1)).toMatchObject({ last: true, std: 0, alphaBarPrevious: 1 });
      expect(steps.filter((s) => s.last)).toHaveLength(1);
      expect(steps.map((s) => s.index)).toEqual(steps.map((_, i) => i));
    },
  );

  test('one step gives x0 itself', () => {
    const [only, ...more] = schedule(config, { steps: 1 });
    expect(more).toEqual([]);
    expect(only).toMatchObject({ t: 999, last: true, noise: 'none', mean: { x0: 1, sample: 0 } });
  });

  test('a network that gives the sample is taken at its word', () => {
    const [step] = schedule({ ...config, predictionType: 'sample' }, { steps: 7 });
    expect(step?.predict).toEqual({ sample: 0, output: 1 });
  });

  test('keep a sample at its level of noise, whatever the spacing', () => {
    const even = fc.record({ steps: fc.integer({ min: 1, max: 1000 }) });
    const ddim = fc.constantFrom('ddim25', 'ddim10', 'fast27', '10,10,5', '3,2,1');
    const any = fc.oneof(even, fc.record({ timestepRespacing: ddim }));
    fc.assert(
      fc.property(any, (spacing) => {
        for (const step of schedule(config, spacing)) {
          // x_t = sqrt(a) x0 + sqrt(1 - a) e must go to the same with the next a, in mean and variance.
          const { mean, alphaBar, alphaBarPrevious, std } = step;
          const signal = mean.x0 + mean.sample * Math.sqrt(alphaBar);
          expect(signal).toBeCloseTo(Math.sqrt(alphaBarPrevious), 9);
          const noise = mean.sample ** 2 * (1 - alphaBar) + std ** 2;
          expect(noise).toBeCloseTo(1 - alphaBarPrevious, 9);
          expect(Number.isFinite(step.logVarianceMin)).toBe(true);
          expect(step.logVarianceMin).toBeLessThanOrEqual(step.logVarianceMax);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('betas are capped, positive, and multiply to alpha-bar', () => {
  const values = betas('squaredcos_cap_v2', 1000);
  expect(Math.max(...values)).toBe(0.999);
  expect(Math.min(...values)).toBeGreaterThan(4e-5);
  expect(betas('linear', 1000)[999]).toBeCloseTo(0.02, 12);
  const { alphaBars } = noiseTables('squaredcos_cap_v2', 1000);
  const product = values.slice(0, 500).reduce((all, beta) => all * (1 - beta), 1);
  expect(alphaBars[499]).toBeCloseTo(product, 14);
  expect(alphaBars[999]).toBeGreaterThan(0);
  expect(alphaBars[999]).toBeLessThan(1e-8);
});
