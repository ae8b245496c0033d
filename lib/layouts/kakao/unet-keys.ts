import type { DecoderConfig, SuperResConfig } from '../../networks/config-unet.js';
import { interleavedPointwise, pointwise } from '../../networks/view-steps.js';
import { compilePattern, type KeyRow, type KeyTable, keyTable } from './key-table.js';

const RESNET: readonly KeyRow[] = [
  ['norm1.{p}', 'in_layers.0.{p}'],
  ['conv1.{p}', 'in_layers.2.{p}'],
  ['time_emb_proj.{p}', 'emb_layers.1.{p}'],
  ['norm2.{p}', 'out_layers.0.{p}'],
  ['conv2.{p}', 'out_layers.3.{p}'],
  ['conv_shortcut.{p}', 'skip_connection.{p}'],
];

const ATTENTION: readonly KeyRow[] = [
  ['group_norm.{p}', 'norm.{p}'],
  ['to_q.{p}', 'qkv.{p}', interleavedPointwise(0, 3)],
  ['to_k.{p}', 'qkv.{p}', interleavedPointwise(1, 3)],
  ['to_v.{p}', 'qkv.{p}', interleavedPointwise(2, 3)],
  ['add_k_proj.{p}', 'encoder_kv.{p}', interleavedPointwise(0, 2)],
  ['add_v_proj.{p}', 'encoder_kv.{p}', interleavedPointwise(1, 2)],
  ['to_out.0.{p}', 'proj_out.{p}', pointwise],
];

const ENDS: readonly KeyRow[] = [
  ['time_embedding.linear_1.{p}', 'time_embed.0.{p}'],
  ['time_embedding.linear_2.{p}', 'time_embed.2.{p}'],
  ['conv_in.{p}', 'input_blocks.0.0.{p}'],
  ['conv_norm_out.{p}', 'out.0.{p}'],
  ['conv_out.{p}', 'out.2.{p}'],
];

interface Structure {
  /** Blocks of a level on the way up, and of one on the way down with its downsampler. */
  run: number;
  /** Whether each level on the way up attends. */
  attendsUp: readonly boolean[];
  attendsMiddle: boolean;
}

type Place = readonly [
  to: string,
  rows: readonly KeyRow[],
  from: (s: Structure, level: number, layer: number) => string,
];

/** Blocks by level and layer become numbered blocks: the input convolution is input block 0. */
const PLACES: readonly Place[] = [
  ['down_blocks.{l}.resnets.{b}', RESNET, (s, l, b) => `input_blocks.${1 + l * s.run + b}.0`],
  ['down_blocks.{l}.attentions.{b}', ATTENTION, (s, l, b) => `input_blocks.${1 + l * s.run + b}.1`],
  ['down_blocks.{l}.downsamplers.0', RESNET, (s, l) => `input_blocks.${(l + 1) * s.run}.0`],
  ['mid_block.resnets.0', RESNET, () => 'middle_block.0'],
  ['mid_block.attentions.0', ATTENTION, () => 'middle_block.1'],
  ['mid_block.resnets.1', RESNET, (s) => `middle_block.${s.attendsMiddle ? 2 : 1}`],
  ['up_blocks.{l}.resnets.{b}', RESNET, (s, l, b) => `output_blocks.${l * s.run + b}.0`],
  ['up_blocks.{l}.attentions.{b}', ATTENTION, (s, l, b) => `output_blocks.${l * s.run + b}.1`],
  [
    'up_blocks.{l}.upsamplers.0',
    RESNET,
    (s, l) => `output_blocks.${(l + 1) * s.run - 1}.${s.attendsUp[l] ? 2 : 1}`,
  ],
];

/** The key table of the decoder or of a super-resolution network. */
export function unetKeys(config: DecoderConfig | SuperResConfig): KeyTable {
  const structure: Structure = {
    run: config.layers_per_block + 1,
    attendsUp: config.up_block_types.map((type) => type === 'SimpleCrossAttnUpBlock2D'),
    attendsMiddle: 'cross_attention_dim' in config,
  };
  const ends = keyTable(ENDS);
  const places = PLACES.map(([to, rows, from]) => ({
    pattern: compilePlace(to),
    table: keyTable(rows),
    from,
  }));
  return (name) => {
    for (const { pattern, table, from } of places) {
      const groups = pattern.exec(name)?.groups;
      const inner = groups && table(groups.rest as string);
      if (!inner) continue;
      const block = from(structure, Number(groups.l ?? 0), Number(groups.b ?? 0));
      return { ...inner, key: `${block}.${inner.key}` };
    }
    return ends(name);
  };
}

function compilePlace(template: string): RegExp {
  return new RegExp(compilePattern(template).source.replace(/\$$/, '\\.(?<rest>.+)$'));
}
