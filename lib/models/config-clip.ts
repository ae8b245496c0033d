import { z } from 'zod';
import { epsilon, repeats, size, tokenId } from './config-fields.js';

const shared = {
  hidden_act: z.enum(['quick_gelu', 'gelu']).prefault('quick_gelu'),
  layer_norm_eps: epsilon.prefault(1e-5),
  num_hidden_layers: repeats.prefault(12),
  projection_dim: size.prefault(512),
};

interface Heads {
  hidden_size: number;
  num_attention_heads: number;
}

function checkHeads(config: Heads, context: z.RefinementCtx): void {
  if (config.hidden_size % config.num_attention_heads === 0) return;
  const message = `a divisor of hidden_size (${config.hidden_size})`;
  context.addIssue({ code: 'custom', path: ['num_attention_heads'], message });
}

/** The config of a whole CLIP holds those of its halves; older folders hold a whole one. */
function half(key: string) {
  return (config: unknown): unknown => {
    const inner = (config as Record<string, unknown> | null)?.[key];
    return typeof inner === 'object' && inner !== null ? inner : config;
  };
}

/** The text encoder: transformers' `CLIPTextModelWithProjection`. */
export const textEncoderConfig = z.preprocess(
  half('text_config'),
  z
    .object({
      ...shared,
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

/** The image encoder: transformers' `CLIPVisionModelWithProjection`. */
export const imageEncoderConfig = z.preprocess(
  half('vision_config'),
  z
    .object({
      ...shared,
      hidden_size: size.prefault(768),
      intermediate_size: size.prefault(3072),
      num_attention_heads: repeats.prefault(12),
      num_channels: size.prefault(3),
      image_size: size.prefault(224),
      patch_size: size.prefault(32),
    })
    .superRefine(checkHeads),
);

export type TextEncoderConfig = z.infer<typeof textEncoderConfig>;
export type ImageEncoderConfig = z.infer<typeof imageEncoderConfig>;

const square = size.transform((edge) => ({ height: edge, width: edge }));
const rectangle = z.object({ height: size, width: size });
const shortest = z.object({ shortest_edge: size });
const perChannel = z.tuple([z.number(), z.number(), z.number()]);

/** Picture preprocessing: transformers' `CLIPImageProcessor`. Older files give sizes as numbers. */
export const featureExtractorConfig = z.object({
  do_resize: z.boolean().prefault(true),
  size: z
    .union([shortest, rectangle, size.transform((edge) => ({ shortest_edge: edge }))])
    .prefault({ shortest_edge: 224 }),
  /** Pillow's number of the filter; 3 is bicubic. */
  resample: z.literal(3).prefault(3),
  do_center_crop: z.boolean().prefault(true),
  crop_size: z.union([rectangle, square]).prefault({ height: 224, width: 224 }),
  do_rescale: z.boolean().prefault(true),
  rescale_factor: z
    .number()
    .positive()
    .prefault(1 / 255),
  do_normalize: z.boolean().prefault(true),
  image_mean: perChannel.prefault([0.48145466, 0.4578275, 0.40821073]),
  image_std: perChannel.prefault([0.26862954, 0.26130258, 0.27577711]),
});

export type FeatureExtractorConfig = z.infer<typeof featureExtractorConfig>;
