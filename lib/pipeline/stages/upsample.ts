import type { Model } from '../../layouts/index.js';
import type { Lease, Residency } from '../../networks/residency.js';
import type { SuperResNetwork } from '../../networks/super-res.js';
import type { TimeEmbeddings } from '../../networks/time-embeddings.js';
import type { Tensor } from '../../torch/tensor.js';
import { denoise } from '../samplers/denoise.js';
import { Prediction } from '../samplers/prediction.js';
import { configOf, type StageRun } from './stage.js';

type SuperResName = (typeof UpsampleStage.leases)[number][number];

/**
 * Super-resolution: enlarges images, without other conditioning. One network takes all steps except the
 * last, which another network takes.
 */
export class UpsampleStage {
  static readonly leases = [['super_res_first'], ['super_res_last']] as const;
  static readonly scheduler = 'super_res_scheduler';
  static readonly network = 'super_res_first';
  readonly #model: Model;
  readonly #networks: Residency;

  constructor(model: Model, networks: Residency) {
    this.#model = model;
    this.#networks = networks;
  }

  /**
   * @param small `[images, 3, side, side]` in [-1, 1]
   * @returns the same at the large size; values may exceed [-1, 1]
   */
  async run(small: Tensor, run: StageRun): Promise<Tensor> {
    const { out_channels: channels, sample_size } = configOf(this.#model, 'super_res_first');
    const side = sample_size as number;
    using lowRes = small.resizeBicubic(side, side);
    await using current = new CurrentNetwork(this.#networks, run.sampler.timesteps);
    const predict = async (x: Tensor, t: number) => {
      const { network, times } = await current.at(t);
      using time = times.at(t);
      return new Prediction(await network.predict(x, lowRes, time, run.signal));
    };
    return await denoise({ ...run, shape: [channels, side, side], predict });
  }
}

/** The network of the current step, with its time embeddings. Only one is leased at a time. */
class CurrentNetwork implements AsyncDisposable {
  readonly #networks: Residency;
  readonly #timesteps: Readonly<Record<SuperResName, readonly number[]>>;
  #name: SuperResName | undefined;
  #lease: Lease<SuperResName> | undefined;
  #times: TimeEmbeddings | undefined;

  constructor(networks: Residency, timesteps: readonly number[]) {
    this.#networks = networks;
    this.#timesteps = {
      super_res_first: timesteps.slice(0, -1),
      super_res_last: timesteps.slice(-1),
    };
  }

  async at(t: number): Promise<{ network: SuperResNetwork; times: TimeEmbeddings }> {
    const name = this.#timesteps.super_res_last.includes(t) ? 'super_res_last' : 'super_res_first';
    if (this.#name !== name) await this.#switchTo(name);
    const [lease, times] = [this.#lease as Lease<SuperResName>, this.#times as TimeEmbeddings];
    return { network: lease[name], times };
  }

  async #switchTo(name: SuperResName): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#lease = await this.#networks.lease(name);
    this.#times = await this.#lease[name].embedTimesteps(this.#timesteps[name]);
    this.#name = name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#times?.[Symbol.dispose]();
    await this.#lease?.[Symbol.asyncDispose]();
    [this.#name, this.#lease, this.#times] = [undefined, undefined, undefined];
  }
}
