import type { KeyValueCache } from '../networks/key-value-cache.js';
import type { TimeEmbeddings } from '../networks/time-embeddings.js';
import type { StageSettings } from '../options/resolve-stages.js';
import { Tensor, tidy } from '../torch/tensor.js';
import { Prediction } from './samplers/prediction.js';

export type GuidanceSettings = Pick<
  StageSettings,
  'guidanceScale' | 'guidanceInterval' | 'guidanceRescale'
>;

/** The classifier-free guidance of one loop (Ho & Salimans 2022). */
export class Guidance {
  readonly #settings: GuidanceSettings;
  readonly #guided: ReadonlySet<number>;

  /** @param timesteps of the loop, of `trainSteps` */
  constructor(settings: GuidanceSettings, timesteps: readonly number[], trainSteps: number) {
    this.#settings = settings;
    this.#guided = new Set(timesteps.filter((t) => isGuided(t, settings, trainSteps)));
  }

  /** Whether the step at timestep t computes the unconditional half. */
  includes(t: number): boolean {
    return this.#guided.has(t);
  }

  /** The batch `[unconditional, conditional]`; only the conditional half if no step is guided. */
  concat(unconditional: Tensor, conditional: Tensor): Tensor {
    return this.#guided.size === 0
      ? conditional.to({})
      : Tensor.cat([unconditional, conditional], 0);
  }

  /** The rows of the conditional half of such a batch. */
  conditionalRows(rows: number): readonly [number, number] {
    return this.#guided.size === 0 ? [0, rows] : [rows / 2, rows];
  }

  /**
   * A guided prediction. A rescaled one is computed here; any other is left to the sampler.
   * @param output `[2 * images, ...]`, the unconditional half first; disposed with the prediction
   * @param channels of the prediction; a learned variance follows them
   */
  apply(output: Tensor, channels: number): Prediction {
    const { guidanceScale, guidanceRescale } = this.#settings;
    const prediction = new Prediction(output, guidanceScale);
    if (guidanceRescale === 0) return prediction;
    return new Prediction(tidy(() => rescaled(prediction, channels, guidanceRescale), [output]));
  }
}

/** Whether the interval includes timestep t: 0 is the noisiest one, 1 is timestep 0. At a scale of exactly 1, none is guided. */
function isGuided(t: number, settings: GuidanceSettings, trainSteps: number): boolean {
  const { guidanceScale, guidanceInterval } = settings;
  const [start, end] = guidanceInterval;
  const position = trainSteps === 1 ? 0 : 1 - t / (trainSteps - 1);
  return guidanceScale !== 1 && position >= start && position <= end;
}

/**
 * The guided output, with the standard deviation of each image moved towards that of its conditional prediction
 * (Lin et al. 2023, eq. 15 and 16), followed by the conditional half's variance, if there is one.
 */
function rescaled(prediction: Prediction, channels: number, amount: number): Tensor {
  const { output } = prediction;
  const [rows, all] = output.shape as [number, number];
  const conditionalHalf = output.slice(0, rows / 2, rows);
  const conditional = conditionalHalf.slice(1, 0, channels);
  const guided = prediction.guided(channels);
  const result = guided.mul(rescaleFactors(guided, conditional, amount));
  if (all === channels) return result;
  return Tensor.cat([result, conditionalHalf.slice(1, channels, all)], 1);
}

function rescaleFactors(guided: Tensor, conditional: Tensor, amount: number): Tensor {
  const wanted = deviations(conditional);
  const factors = deviations(guided).map(
    (deviation, i) => amount * ((wanted[i] as number) / deviation) + 1 - amount,
  );
  const shape = [factors.length, ...Array<number>(guided.shape.length - 1).fill(1)];
  const factor = Tensor.from(Float32Array.from(factors), shape);
  return factor.to({ device: guided.device });
}

/** The standard deviation of each row. */
function deviations(rows: Tensor): number[] {
  const count = rows.shape[0] as number;
  const values = (rows as Tensor<'float32'>).toTypedArray();
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) =>
    deviation(values.subarray(i * size, (i + 1) * size)),
  );
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

/** The prior's or the decoder's network. */
interface StepNetwork {
  predict(
    x: Tensor,
    time: Tensor,
    cache: KeyValueCache,
    signal: AbortSignal | undefined,
  ): Promise<Tensor>;
}

/** A network with what all of its steps read. Steps that are not guided run its conditional half alone. */
export class GuidedNetwork implements Disposable {
  readonly #network: StepNetwork;
  readonly #guidance: Guidance;
  readonly #both: readonly [KeyValueCache, TimeEmbeddings];
  readonly #conditional: readonly [KeyValueCache, TimeEmbeddings];

  /** @param cache its batch, and that of `times`, are as {@link Guidance.concat} returns them; borrowed, as is `times` */
  constructor(
    network: StepNetwork,
    guidance: Guidance,
    cache: KeyValueCache,
    times: TimeEmbeddings,
  ) {
    const rows = guidance.conditionalRows(cache.cache.shape[0] as number);
    this.#network = network;
    this.#guidance = guidance;
    this.#both = [cache, times];
    this.#conditional = [cache.rows(...rows), times.rows(...rows)];
  }

  /** What the network predicts for x at timestep t, guided if that timestep is. */
  async predict(x: Tensor, t: number, signal: AbortSignal | undefined): Promise<Prediction> {
    if (!this.#guidance.includes(t)) {
      return new Prediction(await this.#run(x, t, this.#conditional, signal));
    }
    using rows = Tensor.cat([x, x], 0);
    const output = await this.#run(rows, t, this.#both, signal);
    return this.#guidance.apply(output, x.shape[1] as number);
  }

  async #run(
    x: Tensor,
    t: number,
    [cache, times]: readonly [KeyValueCache, TimeEmbeddings],
    signal: AbortSignal | undefined,
  ): Promise<Tensor> {
    using time = times.at(t);
    return await this.#network.predict(x, time, cache, signal);
  }

  [Symbol.dispose](): void {
    for (const view of this.#conditional) view[Symbol.dispose]();
  }
}
