import { describe, expect, test } from 'vitest';
import { KeyValueCache } from '../../lib/networks/key-value-cache.js';
import { TimeEmbeddings } from '../../lib/networks/time-embeddings.js';
import { Guidance, type GuidanceSettings, GuidedNetwork } from '../../lib/pipeline/guidance.js';
import { Tensor, tidy } from '../../lib/torch/tensor.js';

const timesteps = [999, 749, 500, 250, 0];
const whole: GuidanceSettings = {
  ...{ guidanceScale: 3, guidanceInterval: [0, 1], guidanceRescale: 0 },
};
const guidanceOf = (settings: Partial<GuidanceSettings>) =>
  new Guidance({ ...whole, ...settings }, timesteps, 1000);
const guidedBy = (settings: Partial<GuidanceSettings>) => {
  const guidance = guidanceOf(settings);
  return timesteps.filter((t) => guidance.includes(t));
};
const float = (values: number[], shape: number[]) => Tensor.from(Float32Array.from(values), shape);
const valuesOf = (tensor: Tensor) => [...(tensor as Tensor<'float32'>).toTypedArray()];

describe('the guided steps', () => {
  test('are all of them by default, and none at a scale of 1', () => {
    expect(guidedBy({})).toEqual(timesteps);
    expect(guidedBy({ guidanceScale: 1 })).toEqual([]);
    expect(guidedBy({ guidanceScale: 0 })).toEqual(timesteps);
  });

  test('are those in the interval, whose ends belong to it', () => {
    expect(guidedBy({ guidanceInterval: [0, 0.5] })).toEqual([999, 749, 500]);
    expect(guidedBy({ guidanceInterval: [0.25, 0.75] })).toEqual([749, 500, 250]);
    expect(guidedBy({ guidanceInterval: [1, 1] })).toEqual([0]);
    expect(guidedBy({ guidanceInterval: [0, 0] })).toEqual([999]);
    expect(guidedBy({ guidanceInterval: [0.6, 0.7] })).toEqual([]);
  });

  test('of a schedule with one timestep are at its start', () => {
    expect(new Guidance(whole, [0], 1).includes(0)).toBe(true);
  });
});

/** Predicts its rows' embeddings of time plus their caches, with x as the variance. */
class RecordingNetwork {
  readonly rows: number[] = [];

  async predict(x: Tensor, time: Tensor, { cache }: KeyValueCache): Promise<Tensor> {
    this.rows.push(x.shape[0] as number);
    return Tensor.cat([time.add(cache), x], 1);
  }
}

/** Two images: unconditional rows predict 1 and 2, conditional rows 11 and 12, plus the step's number. */
async function predictions(settings: Partial<GuidanceSettings>) {
  const network = new RecordingNetwork();
  const guidance = guidanceOf(settings);
  using cache = guidance.concat(float([1, 2], [2, 1]), float([11, 12], [2, 1]));
  const rows = cache.shape[0] as number;
  const steps = timesteps.flatMap((_, i) => Array<number>(rows).fill(100 * i));
  using times = new TimeEmbeddings(timesteps, float(steps, [timesteps.length, rows, 1]));
  using guided = new GuidedNetwork(network, guidance, new KeyValueCache(cache, cache), times);
  const outputs: number[][] = [];
  for (const t of timesteps) {
    using prediction = await guided.predict(float([0.5, 0.25], [2, 1]), t, undefined);
    using output = prediction.guided(1);
    outputs.push(valuesOf(output));
  }
  return { rows: network.rows, outputs };
}

describe('a guided network', () => {
  test('extrapolates each image', async () => {
    const { rows, outputs } = await predictions({});
    expect(rows).toEqual([4, 4, 4, 4, 4]);
    // 1 + 3 * (11 - 1) and 2 + 3 * (12 - 2)
    expect(outputs[0]).toEqual([31, 32]);
    expect(outputs[2]).toEqual([231, 232]);
  });

  test('computes only the conditional rows outside the interval', async () => {
    const { rows, outputs } = await predictions({ guidanceInterval: [0.25, 0.75] });
    expect(rows).toEqual([2, 4, 4, 4, 2]);
    expect(outputs[0]).toEqual([11, 12]);
    expect(outputs[1]).toEqual([131, 132]);
    expect(outputs[4]).toEqual([411, 412]);
  });

  test('has no unconditional rows if no step is guided', async () => {
    const { rows, outputs } = await predictions({ guidanceScale: 1 });
    expect(rows).toEqual([2, 2, 2, 2, 2]);
    expect(outputs[3]).toEqual([311, 312]);
  });
});

test('a guided prediction has both halves of the output, with their variance', async () => {
  using prediction = guidanceOf({}).apply(float([1, 5, 11, 7], [2, 2]), 1);
  expect(prediction.guidanceScale).toBe(3);
  expect(valuesOf(prediction.output)).toEqual([1, 5, 11, 7]);
});

describe('guidance rescale', () => {
  // Each row is an image of two channels: the unconditional ones, then the conditional ones.
  const output = () => float([0, 2, 0, 0, 1, 5, 3, -3], [4, 2]);
  const combined = (guidanceRescale: number) => {
    using prediction = guidanceOf({ guidanceRescale }).apply(output(), 2);
    using result = prediction.guided(2);
    return valuesOf(result);
  };

  test('keeps the variance of the conditional half', () => {
    const variance = float([7, 8], [2, 1]);
    const halves = tidy(() => {
      const rows = Tensor.cat([variance, variance.add(1)], 0);
      return Tensor.cat([output(), rows], 1);
    });
    using prediction = guidanceOf({ guidanceRescale: 1 }).apply(halves, 2);
    expect(prediction.guidanceScale).toBeUndefined();
    using kept = prediction.output.slice(1, 2, 3);
    expect(valuesOf(kept)).toEqual([8, 9]);
  });

  test('gives each image the standard deviation of its conditional prediction', () => {
    const plain = [3, 11, 9, -9];
    expect(combined(0)).toEqual(plain);
    // Deviations: 2 of 4, and 3 of 9.
    for (const [i, value] of [1.5, 5.5, 3, -3].entries()) {
      expect(combined(1)[i]).toBeCloseTo(value, 6);
      expect(combined(0.5)[i]).toBeCloseTo((value + (plain[i] as number)) / 2, 6);
    }
  });
});
