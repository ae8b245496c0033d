import { type ComponentConfigs, checkConfig, parseConfig } from '../../networks/config.js';
import { type FeatureExtractorConfig, featureExtractorConfig } from '../../networks/config-clip.js';
import type { ComponentName, SchedulerName } from '../../networks/registry.js';
import { KAKAO_HEAD } from '../../networks/view-steps.js';
import { corrupt } from '../../weights/corrupt.js';
import type { TensorEntry } from '../../weights/types.js';
import type { LayoutDefaults } from '../describe.js';
import { type SchedulerFile, schedulerFile } from '../scheduler-config.js';
import { inferUnet } from './unet-config.js';

/** As Kakao's own program runs a model. */
export const kakaoDefaults: LayoutDefaults = {
  fit: 'fill',
  tokenizer: { pad: 'zero', clean: 'kakao' },
  schedulerPrecision: 'float64',
};

/** Kakao's schedulers: its own clamp of the prior's x0, to ±10. */
export function kakaoScheduler(name: SchedulerName): SchedulerFile {
  return checkConfig(schedulerFile, KAKAO_SCHEDULERS[name], name);
}

const KAKAO_SCHEDULERS: Readonly<Record<SchedulerName, Partial<SchedulerFile>>> = {
  prior_scheduler: { prediction_type: 'sample', clip_sample_range: 10 },
  decoder_scheduler: { variance_type: 'learned_range' },
  super_res_scheduler: {},
};

/** Kakao squashes a picture to CLIP's square, whatever its shape: no crop. */
export function kakaoFeatureExtractor(edge: number): FeatureExtractorConfig {
  const square = { height: edge, width: edge };
  const config = { size: square, crop_size: square, do_center_crop: false };
  return checkConfig(featureExtractorConfig, config, 'feature_extractor');
}

/** The tensors of a file under a prefix; every question names the key that it is about. */
export class Sizes {
  readonly file: string;
  private readonly tensors: ReadonlyMap<string, TensorEntry>;
  private readonly prefix: string;

  constructor(tensors: ReadonlyMap<string, TensorEntry>, prefix: string, file: string) {
    this.tensors = tensors;
    this.prefix = prefix;
    this.file = file;
  }

  has(key: string): boolean {
    return this.tensors.has(this.prefix + key);
  }

  /** Size `dim` of the tensor `key`. Throws `ERR_KARLO_MODEL_CORRUPT` if it has none. */
  of(key: string, dim: number): number {
    const entry = this.tensors.get(this.prefix + key);
    if (!entry) throw corrupt('a tensor', this.prefix + key, this.file, 'none');
    const size = entry.shape[dim];
    if (size !== undefined) return size;
    throw corrupt(`over ${dim} dimensions`, entry.name, this.file, entry.shape);
  }

  /** How many of `key(0)`, `key(1)`, … there are. */
  count(key: (index: number) => string): number {
    let count = 0;
    while (this.has(key(count))) count++;
    return count;
  }

  /** Size `dim` of `key` in heads. */
  heads(key: string, dim: number): number {
    const width = this.of(key, dim);
    if (width > 0 && width % KAKAO_HEAD === 0) return width / KAKAO_HEAD;
    throw corrupt(`a multiple of ${KAKAO_HEAD}`, this.prefix + key, this.file, width);
  }
}

const INFER: { [N in ComponentName]: (sizes: Sizes) => Record<string, unknown> } = {
  prior: inferPrior,
  text_proj: inferTextProj,
  text_encoder: inferTextEncoder,
  image_encoder: inferImageEncoder,
  decoder: (sizes) => ({
    ...inferUnet(sizes),
    cross_attention_dim: sizes.of('text_seq_proj.0.weight', 0),
    attention_head_dim: KAKAO_HEAD,
    class_embed_type: 'identity',
    mid_block_type: 'UNetMidBlock2DSimpleCrossAttn',
  }),
  super_res_first: inferSuperRes,
  super_res_last: inferSuperRes,
};

/**
 * A component's config, in Hugging Face's words, from the shapes of Kakao's tensors and the
 * constants of that layout.
 */
export function inferConfig<N extends ComponentName>(
  component: N,
  sizes: Sizes,
): ComponentConfigs[N] {
  return parseConfig(component, INFER[component](sizes), sizes.file);
}

function inferPrior(sizes: Sizes) {
  return {
    num_attention_heads: sizes.heads('clip_img_proj.weight', 0),
    attention_head_dim: KAKAO_HEAD,
    num_layers: sizes.count((layer) => `transformer.resblocks.${layer}.ln_1.weight`),
    embedding_dim: sizes.of('clip_img_proj.weight', 1),
    num_embeddings: sizes.of('positional_embedding', 1) - 4,
  };
}

function inferTextProj(sizes: Sizes) {
  const context = sizes.of('text_seq_proj.0.weight', 0);
  return {
    clip_extra_context_tokens: sizes.of('clip_tok_proj.weight', 0) / context,
    clip_embeddings_dim: sizes.of('text_seq_proj.0.weight', 1),
    time_embed_dim: sizes.of('text_feat_proj.weight', 0),
    cross_attention_dim: context,
  };
}

// Kakao's super-resolution is four times the decoder's size, which has no weights to show it.
function inferSuperRes(sizes: Sizes) {
  const config = inferUnet(sizes);
  return { ...config, sample_size: 4 * config.sample_size, add_attention: false };
}

function inferTextEncoder(sizes: Sizes) {
  const vocabulary = sizes.of('token_embedding.weight', 0);
  return {
    vocab_size: vocabulary,
    hidden_size: sizes.of('token_embedding.weight', 1),
    num_attention_heads: sizes.heads('token_embedding.weight', 1),
    intermediate_size: sizes.of('transformer.resblocks.0.mlp.c_fc.weight', 0),
    num_hidden_layers: sizes.count((layer) => `transformer.resblocks.${layer}.ln_1.weight`),
    max_position_embeddings: sizes.of('positional_embedding', 0),
    projection_dim: sizes.of('text_projection', 1),
    // The two special tokens end the vocabulary; Kakao pads with 0.
    bos_token_id: vocabulary - 2,
    eos_token_id: vocabulary - 1,
    pad_token_id: 0,
  };
}

function inferImageEncoder(sizes: Sizes) {
  const patch = sizes.of('visual.conv1.weight', 2);
  const grid = Math.round(Math.sqrt(sizes.of('visual.positional_embedding', 0) - 1));
  return {
    hidden_size: sizes.of('visual.conv1.weight', 0),
    num_attention_heads: sizes.heads('visual.conv1.weight', 0),
    num_channels: sizes.of('visual.conv1.weight', 1),
    patch_size: patch,
    image_size: patch * grid,
    intermediate_size: sizes.of('visual.transformer.resblocks.0.mlp.c_fc.weight', 0),
    num_hidden_layers: sizes.count((layer) => `visual.transformer.resblocks.${layer}.ln_1.weight`),
    projection_dim: sizes.of('visual.proj', 1),
  };
}
