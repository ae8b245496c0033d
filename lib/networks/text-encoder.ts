import { z } from 'zod';
import type { Tensor } from '../torch/tensor.js';
import { addClipLayers, checkHeads, clipCost, clipFields, ownConfig } from './clip.js';
import { repeats, size, tokenId } from './config.js';
import { type Cost, Network, type NetworkDefinition } from './network.js';
import { ShapeList, type Shapes } from './shape-list.js';

/** transformers' `CLIPTextModelWithProjection`. */
const config = z.preprocess(
  ownConfig('text_config'),
  z
    .object({
      ...clipFields,
      vocab_size: size.prefault(49408),
      hidden_size: size.prefault(512),
      intermediate_size: size.prefault(2048),
      num_attention_heads: repeats.prefault(8),
      max_position_embeddings: size.prefault(77),
      pad_token_id: tokenId.nullable().prefault(1),
      bos_token_id: tokenId.nullable().prefault(49406),
      // 2 in configs from before transformers 4.31: the pooled token is then the largest id.
      eos_token_id: tokenId.prefault(49407),
    })
    .superRefine(checkHeads),
);

type TextEncoderConfig = z.infer<typeof config>;

function shapes(config: TextEncoderConfig): Shapes {
  const list = new ShapeList();
  const { hidden_size: width } = config;
  list.add('text_model.embeddings.token_embedding.weight', config.vocab_size, width);
  const positions = config.max_position_embeddings;
  list.add('text_model.embeddings.position_embedding.weight', positions, width);
  addClipLayers(list, 'text_model', config);
  list.norm('text_model.final_layer_norm', width);
  list.add('text_projection.weight', config.projection_dim, width);
  return list.shapes;
}

function cost(config: TextEncoderConfig): Cost {
  return clipCost(config, shapes(config), config.max_position_embeddings);
}

/** CLIP's features of prompts, one row for each. E is the width of CLIP's embeddings. */
export interface TextFeatures {
  /** `[prompts, E]` */
  readonly embeds: Tensor;
  /** `[prompts, 77, E]` */
  readonly hidden: Tensor;
  /** `[prompts, 77]`, int64: 1 for each token that counts. */
  readonly mask: Tensor;
}

/** CLIP's text encoder (Radford et al. 2021). */
export class TextEncoderNetwork extends Network {
  /**
   * @param ids tokens, `[prompts, 77]`, int64
   * @returns the projected embeddings and the last hidden states
   */
  async encode(
    ids: Tensor,
    signal?: AbortSignal,
  ): Promise<Pick<TextFeatures, 'embeds' | 'hidden'>> {
    const [embeds, hidden] = await this.module.run<[Tensor, Tensor]>('forward', [ids], { signal });
    return { embeds, hidden };
  }
}

export const textEncoder = {
  kind: 'text_encoder',
  library: 'transformers',
  // A buffer of older versions, and the other encoder of a complete CLIP model.
  ignoredKeys:
    /^(text_model\.embeddings\.position_ids|vision_model\..+|visual_projection\.weight|logit_scale)$/,
  tasks: ['textToImage', 'imageVariation'],
  config,
  shapes,
  cost,
  methods: ['forward'],
  Network: TextEncoderNetwork,
} satisfies NetworkDefinition<TextEncoderConfig>;
