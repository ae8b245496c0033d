import type { DecoderConfig, SuperResConfig } from '../config-unet.js';
import { ShapeList } from './shape-list.js';

/** Tensors of the decoder or of a super-resolution network. */
export function unetShapes(
  config: DecoderConfig | SuperResConfig,
): ReadonlyMap<string, readonly number[]> {
  const list = new ShapeList();
  const widths = config.block_out_channels;
  const first = widths[0] as number;
  const time = config.time_embedding_dim ?? 4 * first;
  const blocks = new Blocks(list, config, time);
  list.conv('conv_in', config.in_channels, first, 3);
  list.linear('time_embedding.linear_1', first, time);
  list.linear('time_embedding.linear_2', time, time);
  addDown(blocks, config);
  addMiddle(blocks, widths.at(-1) as number);
  addUp(blocks, config);
  list.norm('conv_norm_out', first);
  list.conv('conv_out', first, config.out_channels, 3);
  return list.shapes;
}

/** The two kinds of block that a UNet is made of. */
class Blocks {
  /** Width of the context that attention reads; undefined where the network has none. */
  readonly context: number | undefined;
  private readonly list: ShapeList;
  private readonly time: number;
  private readonly timeParts: number;

  constructor(list: ShapeList, config: DecoderConfig | SuperResConfig, time: number) {
    this.list = list;
    this.time = time;
    this.timeParts = config.resnet_time_scale_shift === 'scale_shift' ? 2 : 1;
    this.context = 'cross_attention_dim' in config ? config.cross_attention_dim : undefined;
  }

  resnet(name: string, from: number, to: number): void {
    this.list.norm(`${name}.norm1`, from);
    this.list.conv(`${name}.conv1`, from, to, 3);
    this.list.linear(`${name}.time_emb_proj`, this.time, this.timeParts * to);
    this.list.norm(`${name}.norm2`, to);
    this.list.conv(`${name}.conv2`, to, to, 3);
    if (from !== to) this.list.conv(`${name}.conv_shortcut`, from, to, 1);
  }

  attention(name: string, width: number): void {
    const context = this.context as number;
    this.list.norm(`${name}.group_norm`, width);
    for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
      this.list.linear(`${name}.${part}`, width, width);
    }
    this.list.linear(`${name}.add_k_proj`, context, width);
    this.list.linear(`${name}.add_v_proj`, context, width);
  }
}

function addDown(blocks: Blocks, config: DecoderConfig | SuperResConfig): void {
  const widths = config.block_out_channels;
  for (const [level, to] of widths.entries()) {
    const from = widths[Math.max(level - 1, 0)] as number;
    const name = `down_blocks.${level}`;
    const attends = config.down_block_types[level] === 'SimpleCrossAttnDownBlock2D';
    for (let layer = 0; layer < config.layers_per_block; layer++) {
      blocks.resnet(`${name}.resnets.${layer}`, layer === 0 ? from : to, to);
      if (attends) blocks.attention(`${name}.attentions.${layer}`, to);
    }
    if (level < widths.length - 1) blocks.resnet(`${name}.downsamplers.0`, to, to);
  }
}

function addMiddle(blocks: Blocks, width: number): void {
  blocks.resnet('mid_block.resnets.0', width, width);
  if (blocks.context !== undefined) blocks.attention('mid_block.attentions.0', width);
  blocks.resnet('mid_block.resnets.1', width, width);
}

function addUp(blocks: Blocks, config: DecoderConfig | SuperResConfig): void {
  const widths = [...config.block_out_channels].reverse();
  for (const [level, to] of widths.entries()) {
    const previous = widths[Math.max(level - 1, 0)] as number;
    // The last skip of a level comes from the level before it on the way down.
    const lastSkip = widths[Math.min(level + 1, widths.length - 1)] as number;
    const name = `up_blocks.${level}`;
    const attends = config.up_block_types[level] === 'SimpleCrossAttnUpBlock2D';
    for (let layer = 0; layer <= config.layers_per_block; layer++) {
      const skip = layer === config.layers_per_block ? lastSkip : to;
      blocks.resnet(`${name}.resnets.${layer}`, (layer === 0 ? previous : to) + skip, to);
      if (attends) blocks.attention(`${name}.attentions.${layer}`, to);
    }
    if (level < widths.length - 1) blocks.resnet(`${name}.upsamplers.0`, to, to);
  }
}
