import { describe, expect, test } from 'vitest';
import type { BetaSchedule } from '../../../../lib/layouts/scheduler-config.js';
import { timesteps } from '../../../../lib/options/respacing.js';
import { gaussianDiffusion } from '../../../../lib/pipeline/samplers/arithmetic/gaussian-diffusion.js';
import { readColumns } from '../../../fixtures/schedule/columns.js';
import { config } from '../config.js';

const { column, metadata } = await readColumns('original.safetensors');
const loops = JSON.parse(metadata.get('loops') ?? '') as [string, BetaSchedule][];

const steps = loops.flatMap(([timestepRespacing, betaSchedule]) => {
  const visited = timesteps({ timestepRespacing }, config.trainSteps);
  return gaussianDiffusion.transitions({ ...config, betaSchedule }, visited).map((transition) => ({
    ...transition,
    denoised: gaussianDiffusion.x0(transition),
    ...gaussianDiffusion.posterior(transition),
  }));
});
/** The golden has another value for the variance of the last step, which adds no noise. */
const noisy = (_: unknown, i: number) => !steps[i]?.last;

describe('every step of all respacings', () => {
  test.each<[string, number[]]>([
    ['t', steps.map(({ t }) => t)],
    ['alpha_bar_previous', steps.map(({ alphaBarPrevious }) => Math.fround(alphaBarPrevious))],
    ['recip', steps.map(({ denoised }) => denoised.x)],
    ['recipm1', steps.map(({ denoised }) => denoised.output)],
    ['x0', steps.map(({ mean }) => mean.x0)],
    ['x', steps.map(({ mean }) => mean.x)],
    ['max_log', steps.map(({ logVarianceMax }) => logVarianceMax)],
  ])('has the %s of Kakao’s program, bit for bit', (name, values) => {
    expect(values).toEqual(column(name));
  });

  test('has the min_log of Kakao’s program, bit for bit, where noise is added', () => {
    const values = steps.map(({ logVarianceMin }) => logVarianceMin);
    expect(values.filter(noisy)).toEqual(column('min_log').filter(noisy));
  });

  test('has the deviation that follows from it', () => {
    for (const { std, logVarianceMin } of steps)
      expect(Math.abs(std / Math.exp(logVarianceMin / 2) - 1)).toBeLessThan(2 ** -23);
  });
});
