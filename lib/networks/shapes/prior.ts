import type { PriorConfig } from '../config.js';
import { ShapeList } from './shape-list.js';

/** Tensors of the prior. */
export function priorShapes(config: PriorConfig): ReadonlyMap<string, readonly number[]> {
  const list = new ShapeList();
  const { embedding_dim: embedding } = config;
  const width = config.num_attention_heads * config.attention_head_dim;
  const time = config.time_embed_dim ?? width;
  const output = config.clip_embed_dim ?? embedding;
  const tokens = config.num_embeddings + config.additional_embeddings;
  list.linear('time_embedding.linear_1', width, time);
  list.linear('time_embedding.linear_2', time, width);
  list.linear('proj_in', embedding, width);
  list.linear('embedding_proj', config.embedding_proj_dim ?? embedding, width);
  list.linear('encoder_hidden_states_proj', embedding, width);
  list.add('positional_embedding', 1, tokens, width);
  list.add('prd_embedding', 1, 1, width);
  for (let layer = 0; layer < config.num_layers; layer++) {
    addBlock(list, `transformer_blocks.${layer}`, width);
  }
  list.norm('norm_out', width);
  list.linear('proj_to_clip_embeddings', width, output);
  list.add('clip_mean', 1, output);
  list.add('clip_std', 1, output);
  return list.shapes;
}

function addBlock(list: ShapeList, name: string, width: number): void {
  list.norm(`${name}.norm1`, width);
  for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0']) {
    list.linear(`${name}.attn1.${part}`, width, width);
  }
  list.norm(`${name}.norm3`, width);
  list.linear(`${name}.ff.net.0.proj`, width, 4 * width);
  list.linear(`${name}.ff.net.2`, 4 * width, width);
}
