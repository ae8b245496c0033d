import type { Tensor } from '../torch/tensor.js';
import { Network } from './network.js';

/** CLIP's features of prompts, one row each, with E the width of CLIP's embeddings. */
export interface TextFeatures {
  /** `[prompts, E]` */
  readonly embeds: Tensor;
  /** `[prompts, 77, E]` */
  readonly hidden: Tensor;
  /** `[prompts, 77]`, int64: 1 where a token counts. */
  readonly mask: Tensor;
}

/** CLIP's text encoder (Radford et al. 2021): transformers' `CLIPTextModelWithProjection`. */
export class TextEncoderNetwork extends Network {
  /**
   * @param ids tokens, `[prompts, 77]`, int64
   * @returns the projected embeddings and the last hidden states
   */
  async encode(
    ids: Tensor,
    signal?: AbortSignal,
  ): Promise<Pick<TextFeatures, 'embeds' | 'hidden'>> {
    const [embeds, hidden] = await this.module.run<[Tensor, Tensor]>('forward', [ids], { signal });
    return { embeds, hidden };
  }
}
