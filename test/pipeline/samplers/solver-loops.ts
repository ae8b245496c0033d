import { expect } from 'vitest';
import type { SchedulerConfig } from '../../../lib/layouts/scheduler-config.js';
import type { Sampler } from '../../../lib/pipeline/samplers/sampler.js';
import solvers from '../../fixtures/schedule/solvers.json' with { type: 'json' };
import { config } from './config.js';
import { runSampler } from './run-sampler.js';

/** A loop that a scheduler of diffusers ran: `solvers` in test/reference/schedules.py. */
export interface SolverLoop {
  readonly sampler: string;
  readonly mean: string;
  readonly eta?: number;
  readonly timesteps: number[];
  readonly samples: number[][];
}

export function solverLoops(name: SolverLoop['sampler']): SolverLoop[] {
  return (solvers as SolverLoop[]).filter(({ sampler }) => sampler === name);
}

/** The settings of a loop's scheduler. A learned variance must be ignored. */
export function configOf({ mean }: SolverLoop): SchedulerConfig {
  const predictionType = mean as SchedulerConfig['predictionType'];
  const varianceType = 'learned_range';
  return { ...config, predictionType, varianceType, arithmetic: 'unclip-scheduler' };
}

/** Checks every sample of a loop, with the functions that its scheduler ran with. */
export function expectSamplesOfScheduler(loop: SolverLoop, sampler: Sampler): void {
  const start = Float64Array.from({ length: 8 }, (_, i) => -2 + (4 * i) / 7);
  let current: Float64Array = start;
  const model = (x: Float64Array, t: number) => {
    current = x;
    const output = x.map((value) => (Math.sin(3 * value) * (t + 1)) / 1000);
    return { output, variance: x.map(() => Number.NaN) };
  };
  const samples = runSampler(sampler, start, model, () => current.map(Math.cos));
  expect(sampler.timesteps).toEqual(loop.timesteps);
  const gaps = samples.flatMap((sample, i) =>
    [...sample].map((value, k) => Math.abs(value - (loop.samples[i]?.[k] as number))),
  );
  expect(gaps).toHaveLength(8 * loop.samples.length);
  expect(Math.max(...gaps)).toBeLessThan(1e-5);
}
