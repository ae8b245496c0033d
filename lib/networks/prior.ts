import type { Tensor } from '../torch/tensor.js';
import { Network } from './network.js';
import { PromptCache } from './prompt-cache.js';
import type { TextFeatures } from './text-encoder.js';
import { embedTimesteps, type TimeEmbeddings } from './time-embeddings.js';

/** The prior (Ramesh et al. 2022, section 2.2): diffusers' `PriorTransformer`. */
export class PriorNetwork extends Network {
  /** Computes what every step reads of the prompts: 77 tokens' hidden states and the embedding. */
  async prefill(
    { embeds, hidden, mask }: TextFeatures,
    signal?: AbortSignal,
  ): Promise<PromptCache> {
    const inputs = [embeds, hidden, mask];
    const [cache, bias] = await this.module.run<[Tensor, Tensor]>('prefill', inputs, { signal });
    return new PromptCache(cache, bias);
  }

  embedTimesteps(timesteps: readonly number[]): Promise<TimeEmbeddings> {
    return embedTimesteps(this.module, timesteps);
  }

  /**
   * Predicts x0 of the normalised CLIP image embedding.
   * @param x `[B, E]`. @param time `[1 or B, T]`
   * @returns `[B, E]`
   */
  predict(x: Tensor, time: Tensor, prompt: PromptCache, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('step_at', [x, time, prompt.cache, prompt.bias], { signal });
  }

  /** Undoes the normalisation of image embeddings: `x * clip_std + clip_mean`, float32. */
  denormalize(x: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('finish', [x], { signal });
  }
}
