import { describe, expect, test } from 'vitest';
import type { SamplerName } from '../../../lib/options/descriptions.js';
import { timesteps } from '../../../lib/options/respacing.js';
import { solverSteps, stageTimesteps } from '../../../lib/pipeline/samplers/timesteps.js';
import { errorMessage } from '../../options/error-message.js';
import { config } from './config.js';

const settings = (name: SamplerName, steps: number) => ({
  sampler: { name, eta: 0 },
  spacing: { steps },
});
const solvers = ['ddim', 'dpm++', 'unipc'] as const;

describe('steps', () => {
  test('of ddpm visit the noisiest and the cleanest timestep', () => {
    expect(stageTimesteps(config, settings('ddpm', 5))).toEqual([999, 749, 500, 250, 0]);
  });

  test.each(solvers)('of %s begin below the noisiest timestep, and end above 0', (name) => {
    expect(stageTimesteps(config, settings(name, 5))).toEqual([995, 796, 597, 398, 199]);
  });

  test('of a linear schedule begin at the noisiest timestep', () => {
    const linear = { ...config, betaSchedule: 'linear' } as const;
    expect(stageTimesteps(linear, settings('dpm++', 3))).toEqual([999, 666, 333]);
  });

  test.each([1, 2, 10, 100, 1000])('fit into %d training timesteps', (trainSteps) => {
    const short = { ...config, trainSteps };
    const most = solverSteps(short);
    for (const steps of [1, Math.ceil(most / 2), most]) {
      const visited = stageTimesteps(short, settings('dpm++', steps));
      expect(visited).toHaveLength(steps);
      expect(visited.every((t, i) => i === 0 || t < (visited[i - 1] as number))).toBe(true);
      expect(visited.every((t) => t >= 0 && t < trainSteps)).toBe(true);
    }
    expect(errorMessage(() => stageTimesteps(short, settings('dpm++', most + 1)))).toBe(
      `Expected integer between 1 and ${most} for steps but received ${most + 1}`,
    );
  });
});

test.each(solvers)('a respacing is the same for %s', (name) => {
  const spacing = { timestepRespacing: '10,10,5' };
  const sampler = { name, eta: 0 };
  expect(stageTimesteps(config, { spacing, sampler })).toEqual(timesteps(spacing, 1000));
});
