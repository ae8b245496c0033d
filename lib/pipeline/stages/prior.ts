import type { Model } from '../../layouts/index.js';
import { KeyValueCache } from '../../networks/key-value-cache.js';
import type { PriorNetwork } from '../../networks/prior.js';
import type { Residency } from '../../networks/residency.js';
import type { TextFeatures } from '../../networks/text-encoder.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { AsyncLazy } from '../../util/async-lazy.js';
import { type Guidance, GuidedNetwork } from '../guidance.js';
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
   * @param unconditional what the unconditional half of each image reads, one row each
   * @param empty features of the empty prompt, which most of them are
   * @returns `[images, E]`, float32
   */
  async run(
    text: TextFeatures,
    unconditional: readonly TextFeatures[],
    empty: TextFeatures,
    run: StageRun,
  ): Promise<Tensor> {
    const { sampler, guidance, signal } = run;
    const { embedding_dim, clip_embed_dim } = configOf(this.#model, 'prior');
    const width = clip_embed_dim ?? embedding_dim;
    await using networks = await this.#networks.lease(...PriorStage.leases[0]);
    const { prior } = networks;

    using prefilled = await this.#prefillUnconditional(prior, unconditional, empty, signal);
    using conditional = await prior.prefill(text, signal);
    using cache = concatCaches(prefilled.rows, conditional, guidance);
    using times = await prior.embedTimesteps(sampler.timesteps);
    using network = new GuidedNetwork(prior, guidance, cache, times);
    const predict = (x: Tensor, t: number) => network.predict(x, t, signal);
    using normalized = await denoise({ ...run, shape: [width], predict });
    return await prior.denormalize(normalized, signal);
  }

  /** The cache of each row. That of the empty prompt is kept for later batches. */
  async #prefillUnconditional(
    prior: PriorNetwork,
    unconditional: readonly TextFeatures[],
    empty: TextFeatures,
    signal: AbortSignal | undefined,
  ) {
    const caches = new Map<TextFeatures, KeyValueCache>();
    for (const text of new Set(unconditional)) {
      const cache = await (text === empty
        ? this.#emptyCache.get(() => prior.prefill(empty))
        : prior.prefill(text, signal));
      caches.set(text, cache);
    }
    return {
      rows: unconditional.map((text) => caches.get(text) as KeyValueCache),
      [Symbol.dispose]() {
        for (const [text, cache] of caches) if (text !== empty) cache[Symbol.dispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#emptyCache.value)?.[Symbol.dispose]();
  }
}

/** @param unconditional one row each */
function concatCaches(
  unconditional: readonly KeyValueCache[],
  conditional: KeyValueCache,
  guidance: Guidance,
): KeyValueCache {
  const concat = (part: 'cache' | 'bias') =>
    tidy(() => {
      const rows = Tensor.cat(unconditional.map((one) => one[part]));
      return guidance.concat(rows, conditional[part]);
    });
  return new KeyValueCache(concat('cache'), concat('bias'));
}
