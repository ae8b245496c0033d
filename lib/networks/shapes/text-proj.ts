import type { TextProjConfig } from '../config.js';
import { ShapeList } from './shape-list.js';

/** Tensors of the text projection. */
export function textProjShapes(config: TextProjConfig): ReadonlyMap<string, readonly number[]> {
  const list = new ShapeList();
  const { clip_embeddings_dim: embedding, time_embed_dim: time } = config;
  const { cross_attention_dim: context, clip_extra_context_tokens: tokens } = config;
  list.add('learned_classifier_free_guidance_embeddings', embedding);
  list.linear('embedding_proj', embedding, time);
  list.linear('clip_image_embeddings_project_to_time_embeddings', embedding, time);
  list.linear('clip_extra_context_tokens_proj', embedding, tokens * context);
  list.linear('encoder_hidden_states_proj', embedding, context);
  list.norm('text_encoder_hidden_states_norm', context);
  return list.shapes;
}
