import { type UNetLevels, unetBlocks } from '../../networks/unet.js';
import { corrupt } from '../../weights/corrupt.js';
import { expand, type KeyPairs, type KeyRow } from './keys.js';
import type { Sizes } from './sizes.js';
import { interleavedPointwise, KAKAO_HEAD, pointwise } from './transforms.js';

const ROWS: Readonly<Record<'resnet' | 'attention' | 'others', readonly KeyRow[]>> = {
  resnet: [
    ['norm1.{p}', 'in_layers.0.{p}'],
    ['conv1.{p}', 'in_layers.2.{p}'],
    ['time_emb_proj.{p}', 'emb_layers.1.{p}'],
    ['norm2.{p}', 'out_layers.0.{p}'],
    ['conv2.{p}', 'out_layers.3.{p}'],
    ['conv_shortcut.{p}', 'skip_connection.{p}'],
  ],
  attention: [
    ['group_norm.{p}', 'norm.{p}'],
    ['to_q.{p}', 'qkv.{p}', interleavedPointwise(0, 3)],
    ['to_k.{p}', 'qkv.{p}', interleavedPointwise(1, 3)],
    ['to_v.{p}', 'qkv.{p}', interleavedPointwise(2, 3)],
    ['add_k_proj.{p}', 'encoder_kv.{p}', interleavedPointwise(0, 2)],
    ['add_v_proj.{p}', 'encoder_kv.{p}', interleavedPointwise(1, 2)],
    ['to_out.0.{p}', 'proj_out.{p}', pointwise],
  ],
  others: [
    ['time_embedding.linear_1.{p}', 'time_embed.0.{p}'],
    ['time_embedding.linear_2.{p}', 'time_embed.2.{p}'],
    ['conv_in.{p}', 'input_blocks.0.0.{p}'],
    ['conv_norm_out.{p}', 'out.0.{p}'],
    ['conv_out.{p}', 'out.2.{p}'],
  ],
};

/**
 * The keys of the decoder or of a super-resolution network. Kakao numbers blocks consecutively over all
 * levels. One number covers a ResNet block and the blocks that follow it: an attention block and, on the
 * way up, the block that doubles the resolution. `conv_in` is input block 0.
 */
export function* unetKeys(config: UNetLevels): KeyPairs {
  yield* expand(ROWS.others);
  const last = { down: 0, up: -1 };
  let part = 0;
  for (const { path, kind, way, resamples } of unetBlocks(config)) {
    const follows = kind === 'attention' || (way === 'up' && resamples);
    let place: string;
    if (way === 'mid') {
      part = path === 'mid_block.resnets.0' ? 0 : part + 1;
      place = `middle_block.${part}`;
    } else {
      part = follows ? part + 1 : 0;
      if (!follows) last[way] += 1;
      place = `${way === 'down' ? 'input' : 'output'}_blocks.${last[way]}.${part}`;
    }
    yield* expand(ROWS[kind], `${path}.`, `${place}.`);
  }
}

export function inferDecoder(sizes: Sizes) {
  return {
    ...inferUnet(sizes),
    cross_attention_dim: sizes.of('text_seq_proj.0.weight', 0),
    attention_head_dim: KAKAO_HEAD,
    class_embed_type: 'identity',
    mid_block_type: 'UNetMidBlock2DSimpleCrossAttn',
  };
}

// Kakao's super-resolution multiplies the decoder's image size by four, which no weight reflects.
export function inferSuperRes(sizes: Sizes) {
  const config = inferUnet(sizes);
  return { ...config, sample_size: 4 * config.sample_size, add_attention: false };
}

/**
 * Infers a UNet's config from its shapes. On the way down, a block that halves the resolution has the same
 * keys as any other; on the way up, the last block of a level contains the one that doubles it.
 */
function inferUnet(sizes: Sizes) {
  const blocks = sizes.count((block) => `output_blocks.${block}.0.in_layers.0.weight`);
  const perLevel = blocksPerLevel(sizes, blocks);
  if (blocks === 0 || blocks % perLevel !== 0) {
    throw corrupt(`a multiple of ${perLevel}`, 'number of output_blocks', sizes.file, blocks);
  }
  const levels = Array.from({ length: blocks / perLevel }, (_, level) => level);
  const input = (level: number) => `input_blocks.${1 + level * perLevel}`;
  const output = (level: number) => `output_blocks.${level * perLevel}`;
  const widths = levels.map((level) => sizes.of(`${input(level)}.0.in_layers.2.weight`, 0));
  return {
    // Kakao's rule, which gives 64 for the four levels of the published model.
    sample_size: 2 ** (levels.length + 2),
    in_channels: sizes.of('input_blocks.0.0.weight', 1),
    out_channels: sizes.of('out.2.weight', 0),
    block_out_channels: widths,
    layers_per_block: perLevel - 1,
    norm_num_groups: 32,
    time_embedding_dim: timeWidth(sizes, widths[0] as number),
    resnet_time_scale_shift: scaleShift(sizes),
    down_block_types: levels.map((level) => {
      const attends = sizes.has(`${input(level)}.1.qkv.weight`);
      return attends ? 'SimpleCrossAttnDownBlock2D' : 'ResnetDownsampleBlock2D';
    }),
    up_block_types: levels.map((level) => {
      const attends = sizes.has(`${output(level)}.1.qkv.weight`);
      return attends ? 'SimpleCrossAttnUpBlock2D' : 'ResnetUpsampleBlock2D';
    }),
  };
}

/** The number of output blocks up to the first that doubles the resolution. */
function blocksPerLevel(sizes: Sizes, blocks: number): number {
  for (let block = 0; block < blocks; block++) {
    const has = (part: number) => sizes.has(`output_blocks.${block}.${part}.in_layers.0.weight`);
    if (has(1) || has(2)) return block + 1;
  }
  return Math.max(blocks, 1);
}

/** With scale and shift, the projection of the time embedding is twice as wide as the block. */
function scaleShift(sizes: Sizes): 'scale_shift' | 'default' {
  const width = sizes.of('middle_block.0.in_layers.2.weight', 0);
  return sizes.of('middle_block.0.emb_layers.1.weight', 0) === 2 * width
    ? 'scale_shift'
    : 'default';
}

/** Null if it has the default width, as in published configs. */
function timeWidth(sizes: Sizes, first: number): number | null {
  const width = sizes.of('time_embed.0.weight', 0);
  return width === 4 * first ? null : width;
}
