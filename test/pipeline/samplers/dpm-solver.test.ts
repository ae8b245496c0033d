import { expect, test } from 'vitest';
import type { Transition } from '../../../lib/pipeline/samplers/arithmetic/noise-schedule.js';
import type { DdimSampler } from '../../../lib/pipeline/samplers/ddim.js';
import { DpmSolverSampler } from '../../../lib/pipeline/samplers/dpm-solver.js';
import { createSampler } from '../../../lib/pipeline/samplers/index.js';
import { UniPcSampler } from '../../../lib/pipeline/samplers/unipc.js';
import { config, samplerOf } from './config.js';
import { runSampler } from './run-sampler.js';
import { configOf, expectSamplesOfScheduler, solverLoops } from './solver-loops.js';

test.each(solverLoops('dpm++'))(
  'every sample of $timesteps.length steps with $mean of DPMSolverMultistepScheduler',
  (loop) => {
    const spacing = { steps: loop.timesteps.length };
    const sampler = samplerOf(DpmSolverSampler, configOf(loop), 'dpm++', spacing);
    expectSamplesOfScheduler(loop, sampler);
    sampler.dispose();
  },
);

test.each(solverLoops('unipc'))(
  'every sample of $timesteps.length steps with $mean of UniPCMultistepScheduler',
  (loop) => {
    const sampler = new UniPcSampler(configOf(loop), loop.timesteps);
    expectSamplesOfScheduler(loop, sampler);
    sampler.dispose();
  },
);

/**
 * The network of a Gaussian of this deviation: its exact noise prediction is linear in x, and the ODE's
 * solution from x at alpha-bar a is x * deviation / sqrt(a * deviation^2 + 1 - a).
 */
const deviation = 0.5;
const unclamped = { ...config, clipSampleRange: undefined };

/** The error in the middle of the schedule: the last step, which leads to x0, is of first order. */
function errorOf(name: 'dpm++' | 'unipc' | 'ddim', count: number): number {
  const sampler = createSampler(unclamped, {
    sampler: { name, eta: 0 },
    spacing: { steps: count },
  });
  const { steps, timesteps } = sampler as DdimSampler | DpmSolverSampler;
  const variance = ({ alphaBar: a }: Transition) => a * deviation ** 2 + 1 - a;
  const model = (x: Float64Array, t: number) => {
    const step = steps[timesteps.indexOf(t)] as Transition;
    const noise = Math.sqrt(1 - step.alphaBar) / variance(step);
    return { output: x.map((value) => value * noise) };
  };
  const samples = runSampler(sampler, Float64Array.of(1), model);
  const [x] = samples[count / 2 - 1] as Float64Array;
  const [start, middle] = [steps[0], steps[count / 2]] as [Transition, Transition];
  return Math.abs((x as number) - Math.sqrt(variance(middle) / variance(start)));
}

test.each([
  ['ddim', 'first', 1.9, 2.1],
  ['dpm++', 'second', 3.3, 4],
  ['unipc', 'third', 8, 30],
] as const)('%s is of %s order on a Gaussian', (name, _, least, most) => {
  const errors = [10, 20, 40].map((steps) => errorOf(name, steps));
  for (const [i, error] of errors.slice(1).entries()) {
    const ratio = (errors[i] as number) / error;
    expect(ratio).toBeGreaterThan(least);
    expect(ratio).toBeLessThan(most);
  }
});

test('solvers draw no noise and free what they keep', () => {
  for (const sampler of [
    samplerOf(DpmSolverSampler, config, 'dpm++', { steps: 5 }),
    samplerOf(UniPcSampler, config, 'unipc', { steps: 5 }),
  ]) {
    const model = (x: Float64Array) => ({ output: x });
    expect(runSampler(sampler, Float64Array.of(-1, 0, 0.5), model)).toHaveLength(5);
    sampler.dispose();
  }
});
