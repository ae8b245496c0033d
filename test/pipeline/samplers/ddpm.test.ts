import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import type { Spacing } from '../../../lib/options/respacing.js';
import { DdpmSampler } from '../../../lib/pipeline/samplers/ddpm.js';
import { Prediction } from '../../../lib/pipeline/samplers/prediction.js';
import { Generator } from '../../../lib/torch/generator.js';
import { Tensor, tidy } from '../../../lib/torch/tensor.js';
import { config, samplerOf } from './config.js';
import { expectSamplesOf, loopsOf, settingsOf } from './original-loops.js';
import { runSampler } from './run-sampler.js';
import { torchRandn } from './torch-randn.js';

function ddpm(config: SchedulerConfig, spacing: Spacing): DdpmSampler {
  return samplerOf(DdpmSampler, config, 'ddpm', spacing);
}

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
    expect(steps.at(-1)).toMatchObject({ last: true, alphaBarPrevious: 1 });
    expect(steps.filter((s) => s.last)).toHaveLength(1);
  });

  test('use the output as x0 if the network predicts the sample', () => {
    const [step] = ddpm({ ...config, predictionType: 'sample' }, { steps: 7 }).steps;
    expect(step?.x0).toBeUndefined();
  });

  test('keep a sample at its noise level with any spacing', () => {
    const steps = fc.record({ steps: fc.integer({ min: 1, max: 1000 }) });
    const sections = fc.record({ timestepRespacing: fc.constantFrom('10,10,5', '3,2,1') });
    fc.assert(
      fc.property(fc.oneof(steps, sections), (spacing) => {
        for (const step of ddpm(config, spacing).steps) {
          // x_t = sqrt(a) x0 + sqrt(1 - a) e keeps that form with the next a, in mean and variance.
          const { mean, alphaBar, alphaBarPrevious, last, variance } = step;
          const signal = mean.x0 + mean.x * Math.sqrt(alphaBar);
          expect(signal).toBeCloseTo(Math.sqrt(alphaBarPrevious), 6);
          const noise = mean.x ** 2 * (1 - alphaBar) + (last ? 0 : variance);
          expect(noise).toBeCloseTo(1 - alphaBarPrevious, 6);
          expect(Number.isFinite(step.logVarianceMin)).toBe(true);
          expect(step.logVarianceMin).toBeLessThanOrEqual(step.logVarianceMax);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('guides a prediction, and takes the variance of its conditional half', () => {
  const sampler = ddpm({ ...config, varianceType: 'learned_range' }, { steps: 25 });
  using random = new Generator(0);
  const shape = [2, 3, 4, 4];
  using x = random.randn(shape);
  using noise = random.randn(shape);
  using output = random.randn([4, 6, 4, 4]);
  using combined = tidy(() => {
    const guided = new Prediction(output, 4).guided(3);
    return Tensor.cat([guided, output.slice(0, 2, 4).slice(1, 3, 6)], 1);
  });
  const step = (prediction: Prediction) => {
    const result = sampler.step(x, prediction, 0, () => noise.to({}));
    using next = result.x as Tensor<'float32'>;
    using x0 = result.x0 as Tensor<'float32'>;
    return [next, x0].map((tensor) => [...tensor.toTypedArray()]);
  };
  expect(step(new Prediction(output, 4))).toEqual(step(new Prediction(combined)));
});

/** The sum of a whole loop over arange(768).reshape(3, 8, 8, 4) / 768, permuted (3, 0, 1, 2). */
function sumOfLoop(steps: number, arithmetic: SchedulerConfig['arithmetic']): number {
  const sampler = ddpm({ ...config, arithmetic }, { steps });
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
    expect(Math.abs(sumOfLoop(steps, 'unclip-scheduler') - sum)).toBeLessThan(1e-2);
  });

  test('depend on float32 tables: the last step then keeps 0.9995 of x0', () => {
    const lastOf = (arithmetic: SchedulerConfig['arithmetic']) =>
      ddpm({ ...config, arithmetic }, { steps: 25 }).steps.at(-1);
    expect(lastOf('unclip-scheduler')?.mean.x0).toBeCloseTo(0.99947, 5);
    expect(lastOf('gaussian-diffusion')?.mean.x0).toBe(1);
    expect(sumOfLoop(25, 'gaussian-diffusion')).toBeCloseTo(258.341, 2);
  });
});
