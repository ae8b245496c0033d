import { type ComponentConfigs, type ComponentName, parseConfig } from '../../networks/registry.js';
import type { KakaoFile } from './files.js';
import {
  imageEncoderKeys,
  type KeyPairs,
  priorKeys,
  type SourceKey,
  statisticsKeys,
  textEncoderKeys,
  textProjKeys,
} from './keys.js';
import { Sizes } from './sizes.js';
import { KAKAO_HEAD } from './transforms.js';
import { inferDecoder, inferSuperRes, unetKeys } from './unet.js';

/** How the layout stores a network. */
interface KakaoNetwork<N extends ComponentName> {
  /** The file of its tensors, and the prefix of their keys. */
  file: KakaoFile;
  prefix: string;
  /** Infers its config, with Hugging Face's keys, from the shapes of its tensors. */
  infer(sizes: Sizes): Record<string, unknown>;
  keys(config: ComponentConfigs[N]): KeyPairs;
  /** A second file, whose keys have no prefix. */
  more?: { file: KakaoFile; keys(): KeyPairs };
}

const NETWORKS: { readonly [N in ComponentName]?: KakaoNetwork<N> } = {
  prior: {
    file: 'prior',
    prefix: 'model.',
    infer: inferPrior,
    keys: priorKeys,
    more: { file: 'stats', keys: statisticsKeys },
  },
  decoder: { file: 'decoder', prefix: 'model.', infer: inferDecoder, keys: unetKeys },
  text_proj: { file: 'decoder', prefix: 'model.', infer: inferTextProj, keys: textProjKeys },
  super_res_first: {
    file: 'superRes',
    prefix: 'model_first_steps.',
    infer: inferSuperRes,
    keys: unetKeys,
  },
  super_res_last: {
    file: 'superRes',
    prefix: 'model_last_step.',
    infer: inferSuperRes,
    keys: unetKeys,
  },
  text_encoder: { file: 'clip', prefix: '', infer: inferTextEncoder, keys: textEncoderKeys },
  image_encoder: { file: 'clip', prefix: '', infer: inferImageEncoder, keys: imageEncoderKeys },
};

/** The files of a network's tensors, the main file first; empty if the layout does not include the network. */
export function filesOf(component: ComponentName): readonly KakaoFile[] {
  const network = NETWORKS[component];
  if (network === undefined) return [];
  return network.more ? [network.file, network.more.file] : [network.file];
}

/** Where each tensor of a network is stored, by its Hugging Face name. */
export function kakaoKeys<N extends ComponentName>(
  component: N,
  config: ComponentConfigs[N],
): Map<string, SourceKey & { file: KakaoFile }> {
  const { file, prefix, keys, more } = NETWORKS[component] as KakaoNetwork<N>;
  const sources = new Map<string, SourceKey & { file: KakaoFile }>();
  for (const [name, { key, transform }] of keys(config)) {
    sources.set(name, { file, key: prefix + key, transform });
  }
  for (const [name, source] of more?.keys() ?? []) {
    sources.set(name, { ...source, file: (more as { file: KakaoFile }).file });
  }
  return sources;
}

/**
 * Infers a network's config from the shapes of its tensors and the constants of the layout.
 * @param tensors the tensors of the network's main file
 */
export function inferConfig<N extends ComponentName>(
  component: N,
  tensors: ConstructorParameters<typeof Sizes>[0],
  path: string,
): ComponentConfigs[N] {
  const { prefix, infer } = NETWORKS[component] as KakaoNetwork<N>;
  return parseConfig(component, infer(new Sizes(tensors, prefix, path)), path);
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
    // The two special tokens are the last in the vocabulary, and Kakao pads with 0.
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
