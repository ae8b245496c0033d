import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import { DdimSampler } from '../../../lib/pipeline/samplers/ddim.js';
import { createSampler } from '../../../lib/pipeline/samplers/index.js';
import { config } from './config.js';
import { expectSamplesOf, loopsOf, settingsOf } from './original-loops.js';
import { runSampler } from './run-sampler.js';

function ddim(config: SchedulerConfig, timestepRespacing: string): DdimSampler {
  const sampler = createSampler(config, { spacing: { timestepRespacing } });
  expect(sampler).toBeInstanceOf(DdimSampler);
  return sampler as DdimSampler;
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
