import { z } from 'zod';
import type { Tensor } from '../torch/tensor.js';
import { addClipLayers, checkHeads, clipCost, clipFields, ownConfig } from './clip.js';
import { repeats, size } from './config.js';
import { type Cost, Network, type NetworkDefinition } from './network.js';
import { ShapeList, type Shapes } from './shape-list.js';

/** transformers' `CLIPVisionModelWithProjection`. */
const config = z.preprocess(
  ownConfig('vision_config'),
  z
    .object({
      ...clipFields,
      hidden_size: size.prefault(768),
      intermediate_size: size.prefault(3072),
      num_attention_heads: repeats.prefault(12),
      num_channels: size.prefault(3),
      image_size: size.prefault(224),
      patch_size: size.prefault(32),
    })
    .superRefine(checkHeads),
);

type ImageEncoderConfig = z.infer<typeof config>;

/** Patches of an image, and the class token. */
function tokensOf({ image_size: image, patch_size: patch }: ImageEncoderConfig): number {
  return Math.floor(image / patch) ** 2 + 1;
}

function shapes(config: ImageEncoderConfig): Shapes {
  const list = new ShapeList();
  const { hidden_size: width, patch_size: patch, num_channels: channels } = config;
  list.add('vision_model.embeddings.class_embedding', width);
  list.add('vision_model.embeddings.patch_embedding.weight', width, channels, patch, patch);
  list.add('vision_model.embeddings.position_embedding.weight', tokensOf(config), width);
  // transformers' spelling.
  list.norm('vision_model.pre_layrnorm', width);
  addClipLayers(list, 'vision_model', config);
  list.norm('vision_model.post_layernorm', width);
  list.add('visual_projection.weight', config.projection_dim, width);
  return list.shapes;
}

function cost(config: ImageEncoderConfig): Cost {
  return clipCost(config, shapes(config), tokensOf(config));
}

/** CLIP's image encoder (Radford et al. 2021). */
export class ImageEncoderNetwork extends Network {
  /**
   * @param pixels preprocessed images, `[images, 3, side, side]`
   * @returns the projected embeddings, not normalised, `[images, E]`
   */
  encode(pixels: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('forward', [pixels], { signal });
  }
}

export const imageEncoder = {
  kind: 'image_encoder',
  library: 'transformers',
  // A buffer of older versions, and the other encoder of a complete CLIP model.
  ignoredKeys:
    /^(vision_model\.embeddings\.position_ids|text_model\..+|text_projection\.weight|logit_scale)$/,
  tasks: ['imageVariation'],
  config,
  shapes,
  cost,
  methods: ['forward'],
  Network: ImageEncoderNetwork,
} satisfies NetworkDefinition<ImageEncoderConfig>;
