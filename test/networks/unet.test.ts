import { describe, expect, test } from 'vitest';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { openModel } from '../../lib/layouts/index.js';
import { unetBlocks, unetCost, unetShapes } from '../../lib/networks/unet.js';

describe('operations of a forward pass', () => {
  // PyTorch's FlopCounterMode counts 0.5805 GFLOP for two rows of the decoder, 2.8889 for one of
  // super-resolution.
  test.each([
    ['decoder', 0.5805e9 / 2],
    ['super_res_first', 2.8889e9],
  ] as const)('%s: within a tenth of PyTorch’s count', async (component, counted) => {
    const { configs } = await openModel(builtInModel('karlo-tiny'));
    const { flop } = unetCost(configs[component] as never);
    expect(Math.abs(flop / counted - 1)).toBeLessThan(0.1);
  });
});

describe('the blocks of a network with two levels', () => {
  const levels = {
    block_out_channels: [32, 64],
    layers_per_block: 1,
    down_block_types: ['ResnetDownsampleBlock2D', 'SimpleCrossAttnDownBlock2D'],
    up_block_types: ['SimpleCrossAttnUpBlock2D', 'ResnetUpsampleBlock2D'],
    cross_attention_dim: 48,
  };

  test('are in execution order, with their level and widths', () => {
    const blocks = [...unetBlocks(levels)].map(({ path, level, from, to }) => {
      return [path, level, from, to];
    });
    expect(blocks).toEqual([
      ['down_blocks.0.resnets.0', 0, 32, 32],
      ['down_blocks.0.downsamplers.0', 1, 32, 32],
      ['down_blocks.1.resnets.0', 1, 32, 64],
      ['down_blocks.1.attentions.0', 1, 64, 64],
      ['mid_block.resnets.0', 1, 64, 64],
      ['mid_block.attentions.0', 1, 64, 64],
      ['mid_block.resnets.1', 1, 64, 64],
      ['up_blocks.0.resnets.0', 1, 128, 64],
      ['up_blocks.0.attentions.0', 1, 64, 64],
      ['up_blocks.0.resnets.1', 1, 96, 64],
      ['up_blocks.0.attentions.1', 1, 64, 64],
      ['up_blocks.0.upsamplers.0', 0, 64, 64],
      ['up_blocks.1.resnets.0', 0, 96, 32],
      ['up_blocks.1.resnets.1', 0, 64, 32],
    ]);
  });

  test('have a shortcut if the width changes', () => {
    const shapes = unetShapes({
      ...{ ...levels, sample_size: 16, in_channels: 3, out_channels: 6 },
      ...{ time_embedding_dim: null, resnet_time_scale_shift: 'default' },
    });
    expect(shapes.get('down_blocks.1.resnets.0.conv_shortcut.weight')).toEqual([64, 32, 1, 1]);
    expect(shapes.has('mid_block.resnets.0.conv_shortcut.weight')).toBe(false);
  });
});
