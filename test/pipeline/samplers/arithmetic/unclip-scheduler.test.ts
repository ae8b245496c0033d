import { describe, expect, test } from 'vitest';
import type { SchedulerConfig } from '../../../../lib/layouts/scheduler-config.js';
import { timesteps } from '../../../../lib/options/respacing.js';
import { log, sqrt } from '../../../../lib/pipeline/samplers/arithmetic/torch-math.js';
import { unclipScheduler } from '../../../../lib/pipeline/samplers/arithmetic/unclip-scheduler.js';
import { DdpmSampler } from '../../../../lib/pipeline/samplers/ddpm.js';
import { Prediction } from '../../../../lib/pipeline/samplers/prediction.js';
import { Tensor, tidy } from '../../../../lib/torch/tensor.js';
import { readColumns } from '../../../fixtures/schedule/columns.js';
import { config as defaults } from '../config.js';

const config: SchedulerConfig = { ...defaults, arithmetic: 'unclip-scheduler' };
const { column } = await readColumns('diffusers.safetensors');

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

/**
 * Square roots and logarithms are MKL's, whose last bit depends on the processor: if this processor's
 * differ from those of the golden, so may what follows from them.
 */
const probes = Array.from({ length: 1000 }, (_, i) => Math.fround((i + 1) / 1000));
const sameRoots = probes.map(sqrt).every((root, i) => root === column('roots')[i]);
const sameLogs = probes.map(log).every((value, i) => value === column('logs')[i]);

function expectSame(values: number[], name: string, ulps: number): void {
  const golden = column(name);
  expect(values).toHaveLength(golden.length);
  const apart = values.map((value, i) => ulpsApart(value, golden[i] as number));
  expect(Math.max(...apart)).toBeLessThanOrEqual(ulps);
}

describe('every step of 2 to 100, 250 and 1000 steps', () => {
  test.each<[string, number[]]>([
    ['t', steps.map(({ t }) => t)],
    ['alpha_bar', steps.map(({ alphaBar }) => alphaBar)],
    ['beta', steps.map(({ beta }) => beta)],
    ['variance', steps.map(({ variance }) => variance)],
  ])('has the %s of UnCLIPScheduler, bit for bit', (name, values) => {
    expectSame(values, name, 0);
  });

  test.each<[string, number[], boolean]>([
    ['noise', steps.map(({ denoised }) => denoised.output), sameRoots],
    ['root', steps.map(({ denoised }) => denoised.divisor), sameRoots],
    ['x0', steps.map(({ mean }) => mean.x0), sameRoots],
    ['x', steps.map(({ mean }) => mean.x), sameRoots],
    ['std', steps.map(({ std }) => std), sameLogs],
    ['min_log', steps.map(({ logVarianceMin }) => logVarianceMin), sameLogs],
    ['max_log', steps.map(({ logVarianceMax }) => logVarianceMax), sameLogs],
  ])('has its %s, bit for bit if MKL rounds as in the golden', (name, values, same) => {
    expectSame(values, name, same ? 0 : 4);
  });

  test.each(['epsilon', 'sample'] as const)('steps to the same x, bit for bit (%s)', (type) => {
    const results = loops.flatMap((loop) => {
      const sampler = new DdpmSampler({ ...config, predictionType: type }, loop);
      return loop.map((_, index) => noiselessStep(sampler, index));
    });
    const ulps = sameRoots ? 0 : 8;
    expectSame(
      results.map(({ x }) => x),
      `mean.${type}`,
      ulps,
    );
    expectSame(
      results.map(({ x0 }) => x0),
      `predicted.${type}`,
      ulps,
    );
  });
});

/** A step from the sample 0.3 with the output -0.7, in which the drawn noise is 0. */
function noiselessStep(sampler: DdpmSampler, index: number): { x: number; x0: number } {
  const [x, x0] = tidy(() => {
    const of = (value: number) => Tensor.from(Float32Array.of(value), [1, 1, 1, 1]);
    const result = sampler.step(of(0.3), new Prediction(of(-0.7)), index, () => of(0));
    return [result.x, result.x0] as const;
  });
  using _x = x;
  using _x0 = x0;
  return { x: x.toTypedArray()[0] as number, x0: x0.toTypedArray()[0] as number };
}

/** How many float32 numbers two values are apart. */
function ulpsApart(a: number, b: number): number {
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
