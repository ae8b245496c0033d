import { z } from 'zod';
import { epsilon, repeats, size } from './config.js';
import type { Cost } from './network.js';
import { flopPerToken, type ShapeList, type Shapes } from './shape-list.js';

/** The config keys that both encoders share. */
export const clipFields = {
  hidden_act: z.enum(['quick_gelu', 'gelu']).prefault('quick_gelu'),
  layer_norm_eps: epsilon.prefault(1e-5),
  num_hidden_layers: repeats.prefault(12),
  projection_dim: size.prefault(512),
};

interface ClipConfig {
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
}

export function checkHeads(
  config: Pick<ClipConfig, 'hidden_size' | 'num_attention_heads'>,
  context: z.RefinementCtx,
): void {
  if (config.hidden_size % config.num_attention_heads === 0) return;
  const message = `a divisor of hidden_size (${config.hidden_size})`;
  context.addIssue({ code: 'custom', path: ['num_attention_heads'], message });
}

/** Some folders have the config of a complete CLIP model, with the encoder's config under `key`. */
export function ownConfig(key: 'text_config' | 'vision_config') {
  return (config: unknown): unknown => {
    const inner = (config as Record<string, unknown> | null)?.[key];
    return typeof inner === 'object' && inner !== null ? inner : config;
  };
}

/** Adds the transformer's layers. */
export function addClipLayers(list: ShapeList, model: string, config: ClipConfig): void {
  const { hidden_size: width, intermediate_size: inner } = config;
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `${model}.encoder.layers.${layer}`;
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
      list.linear(`${name}.self_attn.${part}`, width, width);
    }
    list.norm(`${name}.layer_norm1`, width);
    list.linear(`${name}.mlp.fc1`, width, inner);
    list.linear(`${name}.mlp.fc2`, inner, width);
    list.norm(`${name}.layer_norm2`, width);
  }
}

export function clipCost(config: ClipConfig, shapes: Shapes, tokens: number): Cost {
  return {
    flop: tokens * flopPerToken(shapes),
    activations: tokens * (2 * config.hidden_size + config.intermediate_size),
  };
}
