import { dtypeOfWeight } from '../networks/load-component.js';
import type { WeightPlacement } from '../networks/placement.js';
import {
  type ComponentConfigs,
  type ComponentName,
  definitionOf,
  parseConfig,
} from '../networks/registry.js';
import { CONTEXT_LENGTH } from '../tokenizer/tokenizer.js';
import type { ConfigValue } from '../torch/addon-types.js';
import { convert } from '../torch/engine.js';
import { Generator } from '../torch/generator.js';
import { traceNetwork } from '../torch/network.js';
import type { ScriptModule } from '../torch/script-module.js';
import { type Tensor, tidy } from '../torch/tensor.js';
import type { Subject } from './networks.js';

/** Channels of the full-size model's first level, and its group count. */
const unet = {
  block_out_channels: [320],
  layers_per_block: 1,
  norm_num_groups: 32,
  sample_size: 16,
};

/**
 * Networks of one block and of such widths that the operators of native/ops use the kernels of the full-size
 * model, whatever the model to check is.
 */
const BLOCKS: readonly { name: string; component: ComponentName; config: object }[] = [
  {
    name: 'transformer_block, linear',
    component: 'prior',
    config: { num_attention_heads: 16, attention_head_dim: 64, num_layers: 1, embedding_dim: 768 },
  },
  {
    name: 'context_attention',
    component: 'decoder',
    config: {
      ...unet,
      in_channels: 3,
      out_channels: 6,
      down_block_types: ['ResnetDownsampleBlock2D'],
      mid_block_type: 'UNetMidBlock2DSimpleCrossAttn',
      up_block_types: ['ResnetUpsampleBlock2D'],
      attention_head_dim: 64,
      cross_attention_dim: 1536,
      class_embed_type: 'identity',
      resnet_time_scale_shift: 'scale_shift',
    },
  },
  {
    name: 'res_block, group_norm',
    component: 'super_res_first',
    config: {
      ...unet,
      in_channels: 6,
      out_channels: 3,
      down_block_types: ['ResnetDownsampleBlock2D'],
      up_block_types: ['ResnetUpsampleBlock2D'],
      add_attention: false,
    },
  },
];

/** The operators of native/ops, with random weights. */
export function operatorSubjects(): Subject[] {
  return BLOCKS.map(({ name, component, config }) => {
    const parsed = parseConfig(component, config, name);
    return {
      ...{ part: 'operators', name, component, tokens: CONTEXT_LENGTH, config: parsed },
      load: (placement) => loadRandom(component, parsed, placement),
    };
  });
}

async function loadRandom<N extends ComponentName>(
  component: N,
  config: ComponentConfigs[N],
  { engine, device, dtype }: WeightPlacement,
): Promise<ScriptModule> {
  const { kind, methods } = definitionOf(component);
  const values = config as unknown as Readonly<Record<string, ConfigValue>>;
  const { module, parameters } = await traceNetwork(kind, values, engine, methods);
  using noise = new Generator(1);
  const weights: Record<string, Tensor> = {};
  try {
    for (const { name, shape, keepFloat32 } of parameters) {
      using weight = randomWeight(name, shape, noise);
      const target = { device, dtype: dtypeOfWeight(keepFloat32, dtype) };
      weights[name] = await convert(engine, weight, target);
    }
    await module.assign(weights);
    return module;
  } finally {
    for (const weight of Object.values(weights)) weight.dispose();
  }
}

/**
 * Similar to trained weights: those of norms are near one, and all others so small that activations stay in
 * range.
 */
function randomWeight(name: string, shape: readonly number[], noise: Generator): Tensor {
  const isNorm = shape.length === 1 && name.includes('norm');
  const inputs = shape.slice(1).reduce((product, size) => product * size, 1);
  return tidy(() => {
    const normal = noise.randn(shape);
    if (!isNorm) return normal.div(Math.sqrt(inputs));
    return normal.mul(0.05).add(name.endsWith('bias') ? 0 : 1);
  });
}
