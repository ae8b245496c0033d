import { z } from 'zod';
import { epsilon, only, size } from './config.js';
import type { Cost } from './network.js';
import { ShapeList, type Shapes } from './shape-list.js';

/** The config keys that diffusers' `UNet2DConditionModel` and `UNet2DModel` share. */
export const unetFields = {
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

/** The config keys that determine the blocks of a UNet. */
export interface UNetLevels {
  block_out_channels: readonly number[];
  layers_per_block: number;
  down_block_types: readonly string[];
  up_block_types: readonly string[];
  /** Width of the context that attention layers read; undefined without attention layers. */
  cross_attention_dim?: number;
}

/** The config keys on which shapes and cost depend. */
export interface UNetConfig extends UNetLevels {
  sample_size: number | null;
  in_channels: number;
  out_channels: number;
  time_embedding_dim: number | null;
  resnet_time_scale_shift: 'default' | 'scale_shift';
}

/** Reports block types and widths that do not match the levels. */
export function checkLevels(
  config: UNetLevels & { norm_num_groups: number },
  context: z.RefinementCtx,
): void {
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

/** A ResNet block or an attention block of a UNet. */
export interface UNetBlock {
  /** The prefix of its tensors' names, for example `down_blocks.0.resnets.1`. */
  readonly path: string;
  readonly kind: 'resnet' | 'attention';
  readonly way: 'down' | 'mid' | 'up';
  /** Whether it halves (on the way down) or doubles (up) the resolution: a ResNet block. */
  readonly resamples: boolean;
  /** The level whose resolution its output has: 0 is the sample's, and each level halves it. */
  readonly level: number;
  /** Channels of its input and of its output. */
  readonly from: number;
  readonly to: number;
}

/** The blocks of a UNet in execution order. Shapes, cost and Kakao's key map depend on this description. */
export function* unetBlocks(config: UNetLevels): Generator<UNetBlock> {
  yield* downBlocks(config);
  yield* midBlocks(config);
  yield* upBlocks(config);
}

function* downBlocks(config: UNetLevels): Generator<UNetBlock> {
  const { block_out_channels: widths, layers_per_block: layers } = config;
  for (const [level, to] of widths.entries()) {
    const path = `down_blocks.${level}`;
    const shared = { way: 'down', resamples: false, level, to } as const;
    const attends = config.down_block_types[level] === 'SimpleCrossAttnDownBlock2D';
    for (let layer = 0; layer < layers; layer++) {
      const from = layer === 0 ? (widths[Math.max(level - 1, 0)] as number) : to;
      yield { ...shared, path: `${path}.resnets.${layer}`, kind: 'resnet', from };
      if (attends)
        yield { ...shared, path: `${path}.attentions.${layer}`, kind: 'attention', from: to };
    }
    if (level === widths.length - 1) continue;
    const down = { resamples: true, level: level + 1, from: to };
    yield { ...shared, path: `${path}.downsamplers.0`, kind: 'resnet', ...down };
  }
}

function* midBlocks(config: UNetLevels): Generator<UNetBlock> {
  const level = config.block_out_channels.length - 1;
  const width = config.block_out_channels[level] as number;
  const shared = { way: 'mid', resamples: false, level, from: width, to: width } as const;
  yield { ...shared, path: 'mid_block.resnets.0', kind: 'resnet' };
  if (config.cross_attention_dim !== undefined) {
    yield { ...shared, path: 'mid_block.attentions.0', kind: 'attention' };
  }
  yield { ...shared, path: 'mid_block.resnets.1', kind: 'resnet' };
}

function* upBlocks(config: UNetLevels): Generator<UNetBlock> {
  const widths = [...config.block_out_channels].reverse();
  const { layers_per_block: layers } = config;
  for (const [index, to] of widths.entries()) {
    const path = `up_blocks.${index}`;
    const level = widths.length - 1 - index;
    const shared = { way: 'up', resamples: false, level, to } as const;
    const previous = widths[Math.max(index - 1, 0)] as number;
    // The last skip connection comes from the level before this one on the way down.
    const lastSkip = widths[Math.min(index + 1, widths.length - 1)] as number;
    const attends = config.up_block_types[index] === 'SimpleCrossAttnUpBlock2D';
    for (let layer = 0; layer <= layers; layer++) {
      const from = (layer === 0 ? previous : to) + (layer === layers ? lastSkip : to);
      yield { ...shared, path: `${path}.resnets.${layer}`, kind: 'resnet', from };
      if (attends)
        yield { ...shared, path: `${path}.attentions.${layer}`, kind: 'attention', from: to };
    }
    if (index === widths.length - 1) continue;
    const up = { resamples: true, level: level - 1, from: to };
    yield { ...shared, path: `${path}.upsamplers.0`, kind: 'resnet', ...up };
  }
}

/** Width of the time embedding. */
export function timeWidth(
  config: Pick<UNetConfig, 'time_embedding_dim' | 'block_out_channels'>,
): number {
  return config.time_embedding_dim ?? 4 * (config.block_out_channels[0] as number);
}

/** The tensors of a UNet. */
export function unetShapes(config: UNetConfig): Shapes {
  const list = new ShapeList();
  const first = config.block_out_channels[0] as number;
  const time = timeWidth(config);
  list.conv('conv_in', config.in_channels, first, 3);
  list.linear('time_embedding.linear_1', first, time);
  list.linear('time_embedding.linear_2', time, time);
  for (const block of unetBlocks(config)) {
    if (block.kind === 'resnet') addResnet(list, block, config);
    else addAttention(list, block, config.cross_attention_dim as number);
  }
  list.norm('conv_norm_out', first);
  list.conv('conv_out', first, config.out_channels, 3);
  return list.shapes;
}

function addResnet(list: ShapeList, { path, from, to }: UNetBlock, config: UNetConfig): void {
  const timeParts = config.resnet_time_scale_shift === 'scale_shift' ? 2 : 1;
  list.norm(`${path}.norm1`, from);
  list.conv(`${path}.conv1`, from, to, 3);
  list.linear(`${path}.time_emb_proj`, timeWidth(config), timeParts * to);
  list.norm(`${path}.norm2`, to);
  list.conv(`${path}.conv2`, to, to, 3);
  if (from !== to) list.conv(`${path}.conv_shortcut`, from, to, 1);
}

function addAttention(list: ShapeList, { path, to: width }: UNetBlock, context: number): void {
  list.norm(`${path}.group_norm`, width);
  for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
    list.linear(`${path}.${part}`, width, width);
  }
  list.linear(`${path}.add_k_proj`, context, width);
  list.linear(`${path}.add_v_proj`, context, width);
}

/** Tensors of the first level's size that exist at the same time, in addition to the skip connections. */
const WORKING_TENSORS = 5;

/** Counts convolutions and the attention layers' projections of pixels. Zero without `sample_size`. */
export function unetCost(config: UNetConfig): Cost {
  const { block_out_channels: widths, layers_per_block: layers } = config;
  const first = widths[0] as number;
  const side = config.sample_size ?? 0;
  const pixels = (level: number) => (side / 2 ** level) ** 2;
  let weights = 9 * (config.in_channels + config.out_channels) * first * pixels(0);
  for (const block of unetBlocks(config)) weights += weightsOnPixels(block) * pixels(block.level);
  const skips = widths.map((width, level) => width * pixels(level) * (layers + 1));
  return {
    flop: 2 * weights,
    activations: skips.reduce((sum, one) => sum + one, WORKING_TENSORS * first * pixels(0)),
  };
}

/** The number of weights that are multiplied for each pixel of a block's output. */
function weightsOnPixels({ kind, from, to }: UNetBlock): number {
  if (kind === 'attention') return 4 * to * to;
  return 9 * (from * to + to * to) + (from === to ? 0 : from * to);
}
