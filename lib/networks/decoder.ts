import type { Tensor } from '../torch/tensor.js';
import { Network } from './network.js';
import { PromptCache } from './prompt-cache.js';
import type { DecoderCondition } from './text-proj.js';
import { embedTimesteps, type TimeEmbeddings } from './time-embeddings.js';

/** The decoder (Ramesh et al. 2022, section 2.1): diffusers' `UNet2DConditionModel`. */
export class DecoderNetwork extends Network {
  /** Computes the keys and values of the context, which every step reads. */
  async condition(
    { context, mask }: Pick<DecoderCondition, 'context' | 'mask'>,
    signal?: AbortSignal,
  ): Promise<PromptCache> {
    const inputs = [context, mask];
    const [cache, bias] = await this.module.run<[Tensor, Tensor]>('condition', inputs, { signal });
    return new PromptCache(cache, bias);
  }

  /** @param classLabels `[B, T]`, added to each sample's time embedding */
  embedTimesteps(timesteps: readonly number[], classLabels: Tensor): Promise<TimeEmbeddings> {
    return embedTimesteps(this.module, timesteps, classLabels);
  }

  /**
   * Predicts the noise in x and, in as many channels again, the variance.
   * @param x `[B, 3, side, side]`. @param time `[B, T]`
   * @returns `[B, 6, side, side]`
   */
  predict(x: Tensor, time: Tensor, context: PromptCache, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('step_at', [x, time, context.cache, context.bias], { signal });
  }
}
