import type { Tensor } from '../torch/tensor.js';
import { Network } from './network.js';
import { embedTimesteps, type TimeEmbeddings } from './time-embeddings.js';

/** A network of the improved super-resolution: diffusers' `UNet2DModel`. */
export class SuperResNetwork extends Network {
  embedTimesteps(timesteps: readonly number[]): Promise<TimeEmbeddings> {
    return embedTimesteps(this.module, timesteps);
  }

  /**
   * @param x `[B, 3, side, side]`
   * @param lowRes the small images, resized to the same size
   * @param time `[1 or B, T]`
   * @returns `[B, 3, side, side]`: the noise in x, or x0
   */
  predict(x: Tensor, lowRes: Tensor, time: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('step_at', [x, lowRes, time], { signal });
  }
}
