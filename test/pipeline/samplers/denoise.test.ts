import { describe, expect, test } from 'vitest';
import { denoise } from '../../../lib/pipeline/samplers/denoise.js';
import { Noise } from '../../../lib/pipeline/samplers/noise.js';
import { Prediction } from '../../../lib/pipeline/samplers/prediction.js';
import type { Sampler, StepResult } from '../../../lib/pipeline/samplers/sampler.js';
import { Tensor, tidy } from '../../../lib/torch/tensor.js';

/** Moves to the mean of the last two predictions, as a second-order multistep solver might. */
class TwoStepSampler implements Sampler {
  readonly timesteps = [900, 500, 100];
  #previous: Tensor | undefined;

  step(_x: Tensor, { output }: Prediction): StepResult {
    const previous = this.#previous;
    const x = tidy(() => (previous ? output.add(previous).mul(0.5) : output.mul(1)));
    previous?.dispose();
    this.#previous = output.mul(1);
    return { x, x0: output.mul(1) };
  }

  get kept(): Tensor | undefined {
    return this.#previous;
  }

  dispose(): void {
    this.#previous?.dispose();
  }
}

function loop(sampler: Sampler, output: (x: Tensor, t: number) => Promise<Tensor>) {
  const seen: [number, number[]][] = [];
  const onStep = (index: number, x0: Tensor) => {
    seen.push([index, [...(x0 as Tensor<'float32'>).toTypedArray()]]);
  };
  const noise = new Noise([{ seed: 0 }, { seed: 1 }], 'cpu');
  const predict = async (x: Tensor, t: number) => new Prediction(await output(x, t));
  const run = () => denoise({ sampler, noise, shape: [1], predict, onStep, signal: undefined });
  return { run, seen };
}

const constant = async (_x: Tensor, t: number) => Tensor.from(Float32Array.of(t, -t), [2, 1]);

describe('denoise', () => {
  test('runs a sampler that keeps state, and reports each x0', async () => {
    const sampler = new TwoStepSampler();
    const { run, seen } = loop(sampler, constant);
    using x = await run();
    expect([...(x as Tensor<'float32'>).toTypedArray()]).toEqual([300, -300]);
    expect(seen).toEqual([
      [0, [900, -900]],
      [1, [500, -500]],
      [2, [100, -100]],
    ]);
    expect(sampler.kept?.disposed).toBe(true);
  });

  test('frees the sampler and the sample if the network fails', async () => {
    const sampler = new TwoStepSampler();
    let last: Tensor | undefined;
    const { run } = loop(sampler, async (x, t) => {
      last = x;
      if (t === 100) throw new Error('out of order');
      return constant(x, t);
    });
    await expect(run()).rejects.toThrow('out of order');
    expect(sampler.kept?.disposed).toBe(true);
    expect(last?.disposed).toBe(true);
  });
});
