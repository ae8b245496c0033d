import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preparePixels } from '../../lib/images/decoding/tasks.js';
import type { KarloDraft } from '../../lib/images/draft.js';
import type { KarloImage } from '../../lib/images/karlo-image.js';
import { Karlo } from '../../lib/karlo.js';
import type { SchedulerConfig } from '../../lib/layouts/scheduler-config.js';
import { ARITHMETIC } from '../../lib/pipeline/samplers/arithmetic/index.js';
import { DdimSampler } from '../../lib/pipeline/samplers/ddim.js';
import { InverseStep, invertDdim } from '../../lib/pipeline/samplers/ddim-inverse.js';
import { Prediction } from '../../lib/pipeline/samplers/prediction.js';
import { Tensor, tidy } from '../../lib/torch/tensor.js';
import goldens from '../fixtures/schedule/inversions.json' with { type: 'json' };
import { configOf } from '../pipeline/samplers/solver-loops.js';

/** A loop of diffusers' DDIMInverseScheduler: `inversions` in test/reference/schedules.py. */
interface Loop {
  readonly sampler: string;
  readonly mean: string;
  readonly skip: number;
  /** Cleanest first. */
  readonly timesteps: number[];
  /** After each step but the first `skip`. */
  readonly samples: number[][];
}

const loops: Loop[] = goldens;
const start = Float64Array.from({ length: 8 }, (_, i) => -2 + (4 * i) / 7);

/** The network of the loops. Its learned variance must be ignored. */
function network(x: Tensor, t: number): Tensor {
  const values = Float64Array.from(valuesOf(x), (v) => (Math.sin(3 * v) * (t + 1)) / 1000);
  return tidy(() => Tensor.cat([row(values), row(values.fill(Number.NaN))], 1));
}

function row(values: Float64Array): Tensor {
  return Tensor.from(values, [1, values.length]);
}

function valuesOf(x: Tensor): Float64Array {
  return (x as Tensor<'float64'>).toTypedArray() as Float64Array;
}

function transitionsOf(config: SchedulerConfig, { timesteps }: Pick<Loop, 'timesteps'>) {
  const falling = timesteps.toReversed();
  return ARITHMETIC[config.arithmetic].transitions(config, falling).toReversed();
}

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));
}

describe('DDIM inversion', () => {
  const named = loops.map((loop) => ({
    ...loop,
    count: loop.timesteps.length,
    last: loop.timesteps.at(-1),
  }));

  test.each(named)(
    'has every sample of $count steps of $mean to $last of DDIMInverseScheduler',
    (loop) => {
      const config = configOf(loop);
      let x: Float64Array = start;
      const samples = transitionsOf(config, loop)
        .slice(loop.skip)
        .map((transition) => {
          using sample = row(x);
          using prediction = new Prediction(network(sample, transition.t));
          using next = new InverseStep(config, transition).first(sample, prediction);
          x = valuesOf(next);
          return x;
        });
      expect(samples).toHaveLength(loop.samples.length);
      for (const [i, sample] of samples.entries()) {
        expect(largestGap(sample, loop.samples[i] as number[]), `step ${i}`).toBeLessThan(1e-5);
      }
    },
  );

  test.each(named.filter(({ skip }) => skip === 0))(
    'of $count steps to $last ends at the same noise',
    async (loop) => {
      using noise = await invert(loop, 0);
      expect(largestGap(valuesOf(noise), loop.samples.at(-1) as number[])).toBeLessThan(1e-5);
    },
  );

  test.each(named.filter(({ skip, last }) => skip === 0 && last !== 999))(
    'leads back exactly once its iterations converge: $count steps to $last',
    async (loop) => {
      // A smooth network, and values within the clamp of x0: each iteration is a contraction.
      const smooth = (x: Tensor) => row(valuesOf(x).map((value) => Math.sin(value) / 8));
      const image = start.map((value) => value / 4);
      using noise = await invert(loop, 20, image, smooth);
      const sampler = new DdimSampler(configOf(loop), loop.timesteps.toReversed(), { eta: 0 });
      let x = valuesOf(noise);
      for (const index of sampler.timesteps.keys()) {
        using sample = row(x);
        using prediction = new Prediction(smooth(sample));
        const next = sampler.step(sample, prediction, index, () => {
          throw new Error('the sampler drew noise');
        });
        x = valuesOf(next.x);
        for (const tensor of [next.x, next.x0]) tensor.dispose();
      }
      expect(largestGap(x, image)).toBeLessThan(1e-5);
      using estimate = await invert(loop, 0, image, smooth);
      expect(largestGap(valuesOf(estimate), valuesOf(noise))).toBeGreaterThan(1e-3);
    },
  );
});

async function invert(
  loop: Loop,
  refinements: number,
  values = start,
  predict = network,
): Promise<Tensor> {
  using image = row(values);
  const timesteps = loop.timesteps.toReversed();
  return await invertDdim(configOf(loop), image, {
    ...{ timesteps, refinements, onStep: () => {}, signal: undefined },
    predict: async (x, t) => new Prediction(predict(x, t)),
  });
}

describe('reconstructions of an inversion', () => {
  let karlo: Karlo;
  let images: KarloImage[];
  beforeAll(async () => {
    karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
    const prompts = ['a red heart on a white background', 'a black moon', 'a striped purple ring'];
    ({ images } = await karlo.textToImage(prompts, { seed: 0 }));
  });
  afterAll(() => karlo.dispose());

  test('are closer to the image with more steps', async () => {
    const few = await meanPsnr(10);
    const many = await meanPsnr(50);
    expect(many).toBeGreaterThan(few);
  });

  async function meanPsnr(steps: number): Promise<number> {
    const values = await Promise.all(images.map((image) => psnr(image, steps)));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  /** Of the reconstructed draft and the image at its size, in dB. */
  async function psnr(image: KarloImage, steps: number): Promise<number> {
    const inversion = await karlo.invert(image, { steps });
    const { drafts } = await karlo.reconstruct(inversion, { stopAfter: 'decoder' });
    const [{ data, width: edge }] = drafts as [KarloDraft];
    const request = { resized: [{ edge, fit: 'cover' as const }] };
    const { resized } = await preparePixels({ ...image, hash: '' }, request);
    const [target] = resized as [Uint8Array];
    expect(data.length).toBe(target.length);
    const squares = target.reduce((sum, value, i) => sum + (value - (data[i] as number)) ** 2, 0);
    return 10 * Math.log10(255 ** 2 / (squares / target.length));
  }
});
