import { z } from 'zod';
import { CONTEXT_LENGTH } from '../tokenizer/tokenizer.js';
import type { Tensor } from '../torch/tensor.js';
import { repeats, size } from './config.js';
import { type Cost, Network, type NetworkDefinition } from './network.js';
import { countWeights, ShapeList, type Shapes } from './shape-list.js';
import type { TextFeatures } from './text-encoder.js';

/** diffusers' `UnCLIPTextProjModel`. */
const config = z.object({
  clip_extra_context_tokens: repeats.prefault(4),
  clip_embeddings_dim: size.prefault(768),
  time_embed_dim: size,
  cross_attention_dim: size,
});

type TextProjConfig = z.infer<typeof config>;

function shapes(config: TextProjConfig): Shapes {
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

function cost(config: TextProjConfig): Cost {
  const { cross_attention_dim: context, clip_extra_context_tokens: tokens } = config;
  const perText = 2 * config.clip_embeddings_dim * context * (CONTEXT_LENGTH - 1);
  return {
    flop: 2 * countWeights(shapes(config)) + perText,
    activations: (tokens + CONTEXT_LENGTH) * context,
  };
}

/** The conditioning of the decoder. T and C are the widths of its time embedding and context. */
export interface DecoderCondition {
  /** Added to the time embedding, `[B, T]`. */
  readonly classLabels: Tensor;
  /** Read by the attention layers, `[B, 4 + 77, C]`. */
  readonly context: Tensor;
  /** `[B, 4 + 77]`: 1 for each token that counts. */
  readonly mask: Tensor;
}

/** Projects image and text embeddings to the decoder's conditioning (Ramesh et al. 2022, section 2.1). */
export class TextProjNetwork extends Network {
  /** @param imageEmbeds CLIP image embeddings, `[B, E]` */
  async project(
    imageEmbeds: Tensor,
    { embeds, hidden, mask: tokens }: TextFeatures,
    signal?: AbortSignal,
  ): Promise<DecoderCondition> {
    const inputs = [imageEmbeds, embeds, hidden, tokens];
    const outputs = this.module.run<[Tensor, Tensor, Tensor]>('forward', inputs, { signal });
    const [classLabels, context, mask] = await outputs;
    return { classLabels, context, mask };
  }

  /**
   * The learned embedding that replaces the image embeddings in the unconditional half.
   * @param imageEmbeds only its shape is used, `[B, E]`
   * @returns `[B, E]`
   */
  unconditional(imageEmbeds: Tensor, signal?: AbortSignal): Promise<Tensor> {
    return this.module.run<Tensor>('unconditional', [imageEmbeds], { signal });
  }
}

export const textProj = {
  kind: 'text_proj',
  library: 'diffusers',
  tasks: ['textToImage', 'imageVariation'],
  config,
  shapes,
  cost,
  methods: ['forward', 'unconditional'],
  Network: TextProjNetwork,
} satisfies NetworkDefinition<TextProjConfig>;
