import { corrupt } from '../../weights/corrupt.js';
import type { Sizes } from './config.js';

/**
 * What a UNet's shapes say. On the way down, a downsampling block has the keys of any other; on
 * the way up, the last block of a level holds the upsampling one too, and so ends the level.
 */
export function inferUnet(sizes: Sizes) {
  const blocks = sizes.count((block) => `output_blocks.${block}.0.in_layers.0.weight`);
  const run = firstUpsampler(sizes, blocks);
  if (blocks === 0 || blocks % run !== 0) {
    throw corrupt(`a multiple of ${run}`, 'number of output_blocks', sizes.file, blocks);
  }
  const levels = Array.from({ length: blocks / run }, (_, level) => level);
  const widths = levels.map((level) => {
    return sizes.of(`input_blocks.${1 + level * run}.0.in_layers.2.weight`, 0);
  });
  return {
    // Kakao's own rule, and 64 for the published four levels.
    sample_size: 2 ** (levels.length + 2),
    in_channels: sizes.of('input_blocks.0.0.weight', 1),
    out_channels: sizes.of('out.2.weight', 0),
    block_out_channels: widths,
    layers_per_block: run - 1,
    norm_num_groups: 32,
    time_embedding_dim: timeWidth(sizes, widths[0] as number),
    resnet_time_scale_shift: scaleShift(sizes),
    down_block_types: levels.map((level) => {
      const attends = sizes.has(`input_blocks.${1 + level * run}.1.qkv.weight`);
      return attends ? 'SimpleCrossAttnDownBlock2D' : 'ResnetDownsampleBlock2D';
    }),
    up_block_types: levels.map((level) => {
      const attends = sizes.has(`output_blocks.${level * run}.1.qkv.weight`);
      return attends ? 'SimpleCrossAttnUpBlock2D' : 'ResnetUpsampleBlock2D';
    }),
  };
}

/** Blocks up to the first that upsamples, which follows an attention where there is one. */
function firstUpsampler(sizes: Sizes, blocks: number): number {
  for (let block = 0; block < blocks; block++) {
    const has = (part: number) => sizes.has(`output_blocks.${block}.${part}.in_layers.0.weight`);
    if (has(1) || has(2)) return block + 1;
  }
  return Math.max(blocks, 1);
}

/** Scale and shift come from one projection, twice as wide as the block. */
function scaleShift(sizes: Sizes): 'scale_shift' | 'default' {
  const width = sizes.of('middle_block.0.in_layers.2.weight', 0);
  return sizes.of('middle_block.0.emb_layers.1.weight', 0) === 2 * width
    ? 'scale_shift'
    : 'default';
}

/** Null where it follows from the first level, as published configs have it. */
function timeWidth(sizes: Sizes, first: number): number | null {
  const width = sizes.of('time_embed.0.weight', 0);
  return width === 4 * first ? null : width;
}
