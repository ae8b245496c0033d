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
const always = z.literal(true).prefault(true);
const positive = z.number().positive();
const perChannel = z.tuple([z.number(), z.number(), z.number()]);

/**
 * Picture preprocessing: transformers' `CLIPImageProcessor`. Older files give sizes as numbers. The
 * result must be a square.
 */
export const featureExtractorConfig = z
  .object({
    do_resize: always,
    size: z
      .union([shortest, rectangle, size.transform((edge) => ({ shortest_edge: edge }))])
      .prefault({ shortest_edge: 224 }),
    /** Pillow's number of the filter; 3 is bicubic. */
    resample: z.literal(3).prefault(3),
    do_center_crop: z.boolean().prefault(true),
    crop_size: z
      .union([rectangle, square])
      .refine(({ height, width }) => height === width, 'a square')
      .prefault({ height: 224, width: 224 }),
    do_rescale: always,
    rescale_factor: z
      .number()
      .positive()
      .prefault(1 / 255),
    do_normalize: always,
    image_mean: perChannel.prefault([0.48145466, 0.4578275, 0.40821073]),
    image_std: z
      .tuple([positive, positive, positive])
      .prefault([0.26862954, 0.26130258, 0.27577711]),
  })
  .superRefine(checkCrop);

interface Sizes {
  size: { shortest_edge: number } | { height: number; width: number };
  crop_size: { height: number };
  do_center_crop: boolean;
}

function checkCrop({ size, crop_size, do_center_crop }: Sizes, context: z.RefinementCtx): void {
  if (!do_center_crop && 'shortest_edge' in size) {
    const message = 'true where size is a shortest_edge';
    context.addIssue({ code: 'custom', path: ['do_center_crop'], message });
  }
  const short = 'shortest_edge' in size ? size.shortest_edge : Math.min(size.height, size.width);
  if (crop_size.height <= short) return;
  const message = `at most size (${short})`;
  context.addIssue({ code: 'custom', path: ['crop_size'], message });
}

export type FeatureExtractorConfig = z.infer<typeof featureExtractorConfig>;
