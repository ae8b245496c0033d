import type { ImageEncoderConfig, TextEncoderConfig } from '../config-clip.js';
import { ShapeList } from './shape-list.js';

/** Tensors of the text encoder. */
export function textEncoderShapes(
  config: TextEncoderConfig,
): ReadonlyMap<string, readonly number[]> {
  const list = new ShapeList();
  const { hidden_size: width } = config;
  list.add('text_model.embeddings.token_embedding.weight', config.vocab_size, width);
  const positions = config.max_position_embeddings;
  list.add('text_model.embeddings.position_embedding.weight', positions, width);
  addLayers(list, 'text_model', config);
  list.norm('text_model.final_layer_norm', width);
  list.add('text_projection.weight', config.projection_dim, width);
  return list.shapes;
}

/** Tensors of the image encoder. */
export function imageEncoderShapes(
  config: ImageEncoderConfig,
): ReadonlyMap<string, readonly number[]> {
  const list = new ShapeList();
  const { hidden_size: width, patch_size: patch, num_channels: channels } = config;
  const patches = Math.floor(config.image_size / patch) ** 2;
  list.add('vision_model.embeddings.class_embedding', width);
  list.add('vision_model.embeddings.patch_embedding.weight', width, channels, patch, patch);
  list.add('vision_model.embeddings.position_embedding.weight', patches + 1, width);
  // transformers spells it so.
  list.norm('vision_model.pre_layrnorm', width);
  addLayers(list, 'vision_model', config);
  list.norm('vision_model.post_layernorm', width);
  list.add('visual_projection.weight', config.projection_dim, width);
  return list.shapes;
}

interface Layers {
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
}

function addLayers(list: ShapeList, model: string, config: Layers): void {
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
