import type { Tensor } from '../torch/tensor.js';
import { Network } from './network.js';

/** CLIP's image encoder (Radford et al. 2021): transformers' `CLIPVisionModelWithProjection`. */
export class ImageEncoderNetwork extends Network {
  /**
   * @param pixels preprocessed images, `[images, 3, side, side]`
   * @returns the projected embeddings, not normalised, `[images, E]`
   */
  encode(pixels: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('forward', [pixels], { signal });
  }
}
