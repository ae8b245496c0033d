import { z } from 'zod';
import { channels, epsilon, must, only, size } from './config-fields.js';

const shared = {
  center_input_sample: only(false),
  flip_sin_to_cos: z.boolean().prefault(true),
  freq_shift: z.number().prefault(0),
  mid_block_scale_factor: only(1),
  act_fn: z.enum(['silu', 'swish']).prefault('silu'),
  norm_num_groups: size.prefault(32),
  norm_eps: epsilon.prefault(1e-5),
  layers_per_block: z.int().min(1).max(64).prefault(2),
  resnet_time_scale_shift: z.enum(['default', 'scale_shift']).prefault('default'),
  time_embedding_type: only('positional'),
  time_embedding_dim: size.nullable().prefault(null),
  num_class_embeds: only(null),
};

interface Levels {
  block_out_channels: number[];
  down_block_types: string[];
  up_block_types: string[];
  norm_num_groups: number;
}

function checkLevels(config: Levels, context: z.RefinementCtx): void {
  const levels = config.block_out_channels.length;
  for (const key of ['down_block_types', 'up_block_types'] as const) {
    if (config[key].length === levels) continue;
    context.addIssue({ code: 'custom', path: [key], message: `${levels} block types` });
  }
  const uneven = config.block_out_channels.some((width) => width % config.norm_num_groups !== 0);
  if (!uneven) return;
  const message = `multiples of norm_num_groups (${config.norm_num_groups})`;
  context.addIssue({ code: 'custom', path: ['block_out_channels'], message });
}

/** The decoder: diffusers' `UNet2DConditionModel`, the part of it that Karlo uses. */
export const decoderConfig = z
  .object({
    ...shared,
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

/** A super-resolution network: diffusers' `UNet2DModel`, the part of it that Karlo uses. */
export const superResConfig = z
  .object({
    ...shared,
    // The published `super_res_last` has none: the picture's size comes from `super_res_first`.
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

export type DecoderConfig = z.infer<typeof decoderConfig>;
export type SuperResConfig = z.infer<typeof superResConfig>;

interface Heads extends Levels {
  attention_head_dim: number;
}

function checkHeads(config: Heads, context: z.RefinementCtx): void {
  const widths = attentionWidths(config);
  if (widths.every((width) => width % config.attention_head_dim === 0)) return;
  const message = `a divisor of the attention widths ${widths.join(', ')}`;
  context.addIssue({ code: 'custom', path: ['attention_head_dim'], message });
}

/** Channels of the levels that attend; the middle always does. */
function attentionWidths({ block_out_channels, down_block_types, up_block_types }: Heads) {
  const levels = block_out_channels.length;
  return block_out_channels.filter((_, level) => {
    const down = down_block_types[level] === 'SimpleCrossAttnDownBlock2D';
    const up = up_block_types[levels - 1 - level] === 'SimpleCrossAttnUpBlock2D';
    return down || up || level === levels - 1;
  });
}
