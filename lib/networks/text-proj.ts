import type { Tensor } from '../torch/tensor.js';
import { Network } from './network.js';
import type { TextFeatures } from './text-encoder.js';

/** What the decoder is conditioned on, with T and C the widths of its time embedding and context. */
export interface DecoderCondition {
  /** Added to the time embedding, `[B, T]`. */
  readonly classLabels: Tensor;
  /** Read by the attention layers, `[B, 4 + 77, C]`. */
  readonly context: Tensor;
  /** `[B, 4 + 77]`: 1 where a token counts. */
  readonly mask: Tensor;
}

/** The decoder's projection of image and text embeddings: diffusers' `UnCLIPTextProjModel`. */
export class TextProjNetwork extends Network {
  /** @param imageEmbeds CLIP image embeddings, `[B, E]` */
  async project(
    imageEmbeds: Tensor,
    { embeds, hidden, mask: tokens }: TextFeatures,
    signal?: AbortSignal,
  ): Promise<DecoderCondition> {
    const inputs = [imageEmbeds, embeds, hidden, tokens];
    const outputs = this.module.run<[Tensor, Tensor, Tensor]>('forward', inputs, { signal });
    const [classLabels, context, mask] = await outputs;
    return { classLabels, context, mask };
  }

  /**
   * The learned embedding that takes an image embedding's place in the unconditional half.
   * @param imageEmbeds only its batch size and dtype are used, `[B, E]`
   * @returns `[B, E]`
   */
  unconditional(imageEmbeds: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('unconditional', [imageEmbeds], { signal });
  }
}
