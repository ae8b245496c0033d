import { Prediction } from '../../../lib/pipeline/samplers/prediction.js';
import type { Sampler } from '../../../lib/pipeline/samplers/sampler.js';
import { Tensor, tidy } from '../../../lib/torch/tensor.js';

/** What a network outputs for x at timestep t. */
type Model = (x: Float64Array, t: number) => { output: Float64Array; variance?: Float64Array };

/**
 * Runs a sampler in float64 on one sample of `start.length` channels.
 * @param randn draws noise; by default, drawing noise is an error
 * @returns the sample after each step
 */
export function runSampler(
  sampler: Sampler,
  start: Float64Array,
  model: Model,
  randn: (size: number) => Float64Array = throwDrawn,
): Float64Array[] {
  const row = (values: Float64Array) => Tensor.from(values, [1, values.length]);
  let x = start;
  return sampler.timesteps.map((t, index) => {
    const { output, variance } = model(x, t);
    using sample = row(x);
    using prediction = new Prediction(
      tidy(() => Tensor.cat([output, ...(variance ? [variance] : [])].map(row), 1)),
    );
    const next = sampler.step(sample, prediction, index, () => row(randn(x.length)));
    x = next.x.toTypedArray() as Float64Array;
    for (const tensor of [next.x, next.x0]) tensor.dispose();
    return x;
  });
}

function throwDrawn(): never {
  throw new Error('The sampler drew noise');
}
