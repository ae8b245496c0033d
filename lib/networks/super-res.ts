import { z } from 'zod';
import type { Tensor } from '../torch/tensor.js';
import { channels, must, only, size } from './config.js';
import { Network, type NetworkDefinition } from './network.js';
import { embedTimesteps, type TimeEmbeddings } from './time-embeddings.js';
import { checkLevels, unetCost, unetFields, unetShapes } from './unet.js';

/** diffusers' `UNet2DModel`, the part of it that Karlo uses. */
const config = z
  .object({
    ...unetFields,
    // Missing in the published `super_res_last`, which has the image size of `super_res_first`.
    sample_size: size.nullable().prefault(null),
    in_channels: size.prefault(3),
    out_channels: size.prefault(3),
    block_out_channels: channels.prefault([224, 448, 672, 896]),
    down_block_types: z
      .array(z.enum(['ResnetDownsampleBlock2D']))
      .prefault(['DownBlock2D'] as never),
    mid_block_type: only('UNetMidBlock2D'),
    up_block_types: z.array(z.enum(['ResnetUpsampleBlock2D'])).prefault(['UpBlock2D'] as never),
    add_attention: must(false, true),
    class_embed_type: only(null),
  })
  .superRefine(checkLevels);

export type SuperResConfig = z.infer<typeof config>;

/** A network of the improved super-resolution, which enlarges images. */
export class SuperResNetwork extends Network {
  embedTimesteps(timesteps: readonly number[]): Promise<TimeEmbeddings> {
    return embedTimesteps(this.module, timesteps);
  }

  /**
   * Predicts the noise in x or x0, depending on the scheduler's prediction type.
   * @param x `[B, 3, side, side]`
   * @param lowRes the small images, resized to the same size
   * @param time `[1 or B, T]`
   * @returns `[B, 3, side, side]`
   */
  predict(x: Tensor, lowRes: Tensor, time: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('step_at', [x, lowRes, time], { signal });
  }
}

/** The network of all steps but the last, and that of the last. */
export const superRes = {
  kind: 'super_res',
  library: 'diffusers',
  tasks: ['textToImage', 'imageVariation'],
  config,
  shapes: unetShapes,
  cost: unetCost,
  methods: ['times', 'step_at'],
  step: 'step_at',
  Network: SuperResNetwork,
} satisfies NetworkDefinition<SuperResConfig>;
