import { expect } from 'vitest';
import type { Sampler } from '../../../lib/pipeline/samplers/sampler.js';
import original from '../../fixtures/schedule/original.json' with { type: 'json' };
import { runSampler } from './run-sampler.js';

type Loop = (typeof original.loops)[number];

/** Checks every sample of a loop that Kakao's program ran, with the functions that it ran it with. */
export function expectSamplesOf(loop: Loop, sampler: Sampler): void {
  const start = Float64Array.from({ length: 8 }, (_, i) => -2 + (4 * i) / 7);
  let current: Float64Array = start;
  const model = (x: Float64Array, t: number) => {
    current = x;
    const output = x.map((value) => (Math.sin(3 * value) * (t + 1)) / 1000);
    return { output, variance: x.map(Math.cos) };
  };
  const randn = () => current.map((value) => Math.sin(value * 7));
  const samples = runSampler(sampler, start, model, randn);
  expect(samples).toHaveLength(loop.samples.length);
  const gaps = samples.flatMap((sample, i) =>
    [...sample].map((value, k) => Math.abs(value - (loop.samples[i]?.[k] as number))),
  );
  expect(Math.max(...gaps)).toBeLessThan(2e-5);
}

/** The scheduler settings of a loop. */
export function settingsOf({ mean, learned }: Loop) {
  return {
    predictionType: mean === 'START_X' ? 'sample' : 'epsilon',
    varianceType: learned ? 'learned_range' : 'fixed_small_log',
  } as const;
}

/** The loops that one kind of sampler ran. */
export function loopsOf(kind: 'ddpm' | 'ddim'): Loop[] {
  return original.loops.filter(({ text }) => /^(ddim|fast)/.test(text) === (kind === 'ddim'));
}
