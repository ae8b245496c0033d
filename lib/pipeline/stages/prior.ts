import type { Model } from '../../layouts/index.js';
import { KeyValueCache } from '../../networks/key-value-cache.js';
import type { Residency } from '../../networks/residency.js';
import type { TextFeatures } from '../../networks/text-encoder.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { AsyncLazy } from '../../util/async-lazy.js';
import { concatForGuidance, duplicateForGuidance, guide } from '../guidance.js';
import { denoise } from '../samplers/denoise.js';
import { configOf, type StageRun } from './stage.js';

/**
 * The prior: text features to CLIP image embeddings (Ramesh et al. 2022, section 2.2). It denoises
 * the normalised embedding; the normalisation is undone at the end.
 */
export class PriorStage implements AsyncDisposable {
  static readonly leases = [['prior']] as const;
  static readonly scheduler = 'prior_scheduler';
  static readonly network = 'prior';
  readonly #model: Model;
  readonly #networks: Residency;
  /** The same in every batch. */
  readonly #emptyCache = new AsyncLazy<KeyValueCache>();

  constructor(model: Model, networks: Residency) {
    this.#model = model;
    this.#networks = networks;
  }

  /**
   * @param text one row per image
   * @param empty features of the empty prompt, one row
   * @returns `[images, E]`, float32
   */
  async run(text: TextFeatures, empty: TextFeatures, run: StageRun): Promise<Tensor> {
    const { sampler, settings, signal } = run;
    const scale = settings.guidanceScale;
    const { embedding_dim, clip_embed_dim } = configOf(this.#model, 'prior');
    const width = clip_embed_dim ?? embedding_dim;
    await using networks = await this.#networks.lease(...PriorStage.leases[0]);
    const { prior } = networks;

    const unconditional = await this.#emptyCache.get(() => prior.prefill(empty));
    using conditional = await prior.prefill(text, signal);
    using cache = concatCaches(unconditional, conditional, scale);
    using times = await prior.embedTimesteps(sampler.timesteps);
    const predict = async (x: Tensor, t: number) => {
      using rows = duplicateForGuidance(x, scale);
      using time = times.at(t);
      return guide(await prior.predict(rows, time, cache, signal), scale, width);
    };
    using normalized = await denoise({ ...run, shape: [width], predict });
    return await prior.denormalize(normalized, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#emptyCache.value)?.[Symbol.dispose]();
  }
}

/** @param unconditional one row, repeated for each image */
function concatCaches(
  unconditional: KeyValueCache,
  conditional: KeyValueCache,
  scale: number,
): KeyValueCache {
  const concat = (part: 'cache' | 'bias') => {
    const images = conditional[part].shape[0] as number;
    return tidy(() => {
      const repeated = Tensor.cat(Array<Tensor>(images).fill(unconditional[part]));
      return concatForGuidance(repeated, conditional[part], scale);
    });
  };
  return new KeyValueCache(concat('cache'), concat('bias'));
}
