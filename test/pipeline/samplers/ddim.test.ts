import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import { DdimSampler } from '../../../lib/pipeline/samplers/ddim.js';
import { DdpmSampler } from '../../../lib/pipeline/samplers/ddpm.js';
import type { Sampler } from '../../../lib/pipeline/samplers/sampler.js';
import { config, samplerOf } from './config.js';
import { expectSamplesOf, loopsOf, settingsOf } from './original-loops.js';
import { runSampler } from './run-sampler.js';
import { configOf, expectSamplesOfScheduler, solverLoops } from './solver-loops.js';
import { torchRandn } from './torch-randn.js';

function ddim(config: SchedulerConfig, timestepRespacing: string, eta = 0): DdimSampler {
  return samplerOf(DdimSampler, config, 'ddim', { timestepRespacing }, eta);
}

test.each(loopsOf('ddim'))('every sample of the loop $text $mean of Kakao’s program', (loop) => {
  expectSamplesOf(loop, ddim({ ...config, ...settingsOf(loop) }, loop.text));
});

describe.each([
  ['ddim25', 'learned_range'],
  ['fast27', 'fixed_small_log'],
] as const)('%s with %s', (respacing, varianceType) => {
  const sampler = ddim({ ...config, varianceType }, respacing);

  test('draws no noise', () => {
    const model = (x: Float64Array) => ({ output: x, variance: x });
    const samples = runSampler(sampler, Float64Array.of(-1, 0, 0.5), model);
    expect(samples).toHaveLength(sampler.timesteps.length);
  });

  test('ends at x0 in its last step', () => {
    const { steps } = sampler;
    expect(steps.at(-1)).toMatchObject({ last: true, next: { x0: 1, noise: 0 } });
    expect(steps.filter((s) => s.last)).toHaveLength(1);
  });
});

test.each(['ddim25', 'ddim10', 'fast27'])('%s keeps a sample at its noise level', (respacing) => {
  for (const { noise, next, alphaBar, alphaBarPrevious } of ddim(config, respacing).steps) {
    // x_t = sqrt(a) x0 + sqrt(1 - a) e keeps that form with the next a.
    const signal = noise.x * Math.sqrt(alphaBar) - 1;
    expect(signal).toBeCloseTo(0, 6);
    expect((noise.x * Math.sqrt(1 - alphaBar)) / noise.divisor).toBeCloseTo(1, 5);
    expect(next.x0).toBeCloseTo(Math.sqrt(alphaBarPrevious), 6);
    // Near t = 0, little is left of 1 - alpha-bar in float32.
    expect(next.noise).toBeCloseTo(Math.sqrt(1 - alphaBarPrevious), 5);
  }
});

test.each(solverLoops('ddim'))('every sample of $mean at eta $eta of DDIMScheduler', (loop) => {
  const settings = { name: 'ddim', eta: loop.eta as number } as const;
  const sampler = new DdimSampler(configOf(loop), loop.timesteps, settings);
  expectSamplesOfScheduler(loop, sampler);
});

describe('at eta 1', () => {
  test.each(['epsilon', 'sample'] as const)('%s is DDPM with fixed variance', (predictionType) => {
    const spacing = { timestepRespacing: '10' };
    const own = { ...config, predictionType, clipSampleRange: undefined };
    const run = (sampler: Sampler) => {
      const start = torchRandn(1)(16);
      const model = (x: Float64Array, t: number) => ({ output: x.map((v) => (v * t) / 1000) });
      return runSampler(sampler, start, model, torchRandn(0));
    };
    const ancestral = run(samplerOf(DdpmSampler, own, 'ddpm', spacing));
    const samples = run(samplerOf(DdimSampler, own, 'ddim', spacing, 1));
    expect(samples).toHaveLength(ancestral.length);
    for (const [i, sample] of samples.entries()) {
      for (const [k, value] of sample.entries()) {
        const expected = (ancestral[i] as Float64Array)[k] as number;
        expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      }
    }
  });

  test('adds noise in every step but the last', () => {
    const { steps } = ddim(config, 'ddim25', 1);
    expect(steps.map(({ std }) => std > 0)).toEqual([...Array(24).fill(true), false]);
    expect(ddim(config, 'ddim25', 0.5).steps[3]?.std).toBeCloseTo((steps[3]?.std as number) / 2, 8);
  });
});
