import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../../lib/layouts/scheduler-config.js';
import { timesteps } from '../../../../lib/options/respacing.js';
import { unclipScheduler } from '../../../../lib/pipeline/samplers/arithmetic/unclip-scheduler.js';
import { DdpmSampler } from '../../../../lib/pipeline/samplers/ddpm.js';
import { Tensor, tidy } from '../../../../lib/torch/tensor.js';
import { readColumns } from '../../../fixtures/schedule/columns.js';
import { config as defaults } from '../config.js';

const config: SchedulerConfig = { ...defaults, arithmetic: 'unclip-scheduler' };
const golden = await readColumns('diffusers.safetensors');

/** The loops of the golden, which joins their steps. diffusers cannot run a single step. */
const counts = [...Array.from({ length: 99 }, (_, i) => i + 2), 250, 1000];
const loops = counts.map((steps) => timesteps({ steps }, config.trainSteps));

const steps = loops.flatMap((loop) =>
  unclipScheduler.transitions(config, loop).map((transition) => ({
    ...transition,
    denoised: unclipScheduler.x0(transition),
    ...unclipScheduler.posterior(transition),
  })),
);

function column(name: string): number[] {
  const values = golden.get(name);
  if (values === undefined) throw new Error(`the golden file has no ${name}`);
  return [...values];
}

describe('every step of 2 to 100, 250 and 1000 steps', () => {
  test.each<[string, number[]]>([
    ['t', steps.map(({ t }) => t)],
    ['alpha_bar', steps.map(({ alphaBar }) => alphaBar)],
    ['beta', steps.map(({ beta }) => beta)],
    ['noise', steps.map(({ denoised }) => denoised.output)],
    ['root', steps.map(({ denoised }) => denoised.divisor)],
    ['x0', steps.map(({ mean }) => mean.x0)],
    ['x', steps.map(({ mean }) => mean.x)],
    ['variance', steps.map(({ variance }) => variance)],
  ])('has the %s of UnCLIPScheduler, bit for bit', (name, values) => {
    expect(values).toEqual(column(name));
  });

  test.each<[string, number[]]>([
    ['std', steps.map(({ std }) => std)],
    ['min_log', steps.map(({ logVarianceMin }) => logVarianceMin)],
    ['max_log', steps.map(({ logVarianceMax }) => logVarianceMax)],
  ])('has its %s, whose last bit depends on the processor', (name, values) => {
    const apart = values.map((value, i) => ulps(value, column(name)[i] as number));
    expect(Math.max(...apart)).toBeLessThanOrEqual(1);
  });

  test.each(['epsilon', 'sample'] as const)('steps to the same x, bit for bit (%s)', (type) => {
    const results = loops.flatMap((loop) => {
      const sampler = new DdpmSampler({ ...config, predictionType: type }, loop);
      return loop.map((_, index) => noiselessStep(sampler, index));
    });
    expect(results.map(({ x }) => x)).toEqual(column(`mean.${type}`));
    expect(results.map(({ x0 }) => x0)).toEqual(column(`predicted.${type}`));
  });
});

/** A step from the sample 0.3 with the output -0.7, in which the drawn noise is 0. */
function noiselessStep(sampler: DdpmSampler, index: number): { x: number; x0: number } {
  const [x, x0] = tidy(() => {
    const of = (value: number) => Tensor.from(Float32Array.of(value), [1, 1, 1, 1]);
    const result = sampler.step(of(0.3), of(-0.7), index, () => of(0));
    return [result.x, result.x0] as const;
  });
  using _x = x;
  using _x0 = x0;
  return { x: x.toTypedArray()[0] as number, x0: x0.toTypedArray()[0] as number };
}

/** How many float32 numbers two values are apart. */
function ulps(a: number, b: number): number {
  const [x, y] = new Int32Array(Float32Array.of(a, b).buffer) as unknown as [number, number];
  return Math.abs(x - y);
}

test('a single step returns x0 itself, from the noisiest timestep', () => {
  const [only, ...more] = new DdpmSampler(config, timesteps({ steps: 1 }, 1000)).steps;
  expect(more).toEqual([]);
  expect(only).toMatchObject({ t: 999, last: true, noise: 'none', mean: { x0: 1, x: 0 } });
});

test('a timestep outside the schedule is rejected', () => {
  expect(() => unclipScheduler.transitions(config, [1000])).toThrow(RangeError);
});
