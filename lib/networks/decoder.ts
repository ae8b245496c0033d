import { z } from 'zod';
import type { Tensor } from '../torch/tensor.js';
import { channels, must, only, size } from './config.js';
import { KeyValueCache } from './key-value-cache.js';
import { Network, type NetworkDefinition } from './network.js';
import type { DecoderCondition } from './text-proj.js';
import { embedTimesteps, type TimeEmbeddings } from './time-embeddings.js';
import {
  checkLevels,
  type UNetLevels,
  unetBlocks,
  unetCost,
  unetFields,
  unetShapes,
} from './unet.js';

/** diffusers' `UNet2DConditionModel`, the part of it that Karlo uses. */
const config = z
  .object({
    ...unetFields,
    sample_size: size,
    in_channels: size.prefault(4),
    out_channels: size.prefault(4),
    block_out_channels: channels.prefault([320, 640, 1280, 1280]),
    down_block_types: z
      .array(z.enum(['ResnetDownsampleBlock2D', 'SimpleCrossAttnDownBlock2D']))
      .prefault(['CrossAttnDownBlock2D'] as never),
    mid_block_type: must('UNetMidBlock2DSimpleCrossAttn', 'UNetMidBlock2DCrossAttn'),
    up_block_types: z
      .array(z.enum(['ResnetUpsampleBlock2D', 'SimpleCrossAttnUpBlock2D']))
      .prefault(['CrossAttnUpBlock2D'] as never),
    only_cross_attention: only(false),
    mid_block_only_cross_attention: z.union([z.null(), z.literal(false)]).prefault(null),
    cross_attention_dim: size.prefault(1280),
    attention_head_dim: size.prefault(8),
    num_attention_heads: only(null),
    class_embed_type: z.literal('identity').prefault(null as never),
    class_embeddings_concat: only(false),
    addition_embed_type: only(null),
    encoder_hid_dim: only(null),
    encoder_hid_dim_type: only(null),
    cross_attention_norm: only(null),
    dual_cross_attention: only(false),
    resnet_skip_time_act: only(false),
    resnet_out_scale_factor: only(1),
    time_embedding_act_fn: only(null),
    timestep_post_act: only(null),
    time_cond_proj_dim: only(null),
    conv_in_kernel: only(3),
    conv_out_kernel: only(3),
    attention_type: only('default'),
  })
  .superRefine((config, context) => {
    checkLevels(config, context);
    checkHeads(config, context);
  });

function checkHeads(
  config: UNetLevels & { attention_head_dim: number },
  context: z.RefinementCtx,
): void {
  // One layer shows all widths; the config's number of layers may be out of its range here.
  const blocks = [...unetBlocks({ ...config, layers_per_block: 1 })];
  const attentions = blocks.filter(({ kind }) => kind === 'attention');
  const widths = [...new Set(attentions.map(({ to }) => to))];
  if (widths.every((width) => width % config.attention_head_dim === 0)) return;
  const message = `a divisor of the attention widths ${widths.join(', ')}`;
  context.addIssue({ code: 'custom', path: ['attention_head_dim'], message });
}

/** The decoder (Ramesh et al. 2022, section 2.1): text and image embeddings to small images. */
export class DecoderNetwork extends Network {
  /** Computes the keys and values of the context, which every step reads. */
  async condition(
    { context, mask }: Pick<DecoderCondition, 'context' | 'mask'>,
    signal?: AbortSignal,
  ): Promise<KeyValueCache> {
    const inputs = [context, mask];
    const [cache, bias] = await this.module.run<[Tensor, Tensor]>('condition', inputs, { signal });
    return new KeyValueCache(cache, bias);
  }

  /** @param classLabels `[B, T]`, added to each sample's time embedding */
  embedTimesteps(timesteps: readonly number[], classLabels: Tensor): Promise<TimeEmbeddings> {
    return embedTimesteps(this.module, timesteps, classLabels);
  }

  /**
   * Predicts the noise in x and, in as many channels again, the variance.
   * @param x `[B, 3, side, side]`
   * @param time `[B, T]`
   * @returns `[B, 6, side, side]`
   */
  predict(x: Tensor, time: Tensor, context: KeyValueCache, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('step_at', [x, time, context.cache, context.bias], { signal });
  }
}

export const decoder = {
  kind: 'decoder',
  library: 'diffusers',
  tasks: ['textToImage', 'imageVariation'],
  config,
  shapes: unetShapes,
  cost: unetCost,
  methods: ['condition', 'times', 'step_at'],
  step: 'step_at',
  Network: DecoderNetwork,
} satisfies NetworkDefinition<z.infer<typeof config>>;
