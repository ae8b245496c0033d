import type { ComponentConfigs } from '../../networks/registry.js';
import { interleaved, row, same, stacked, type Transform, transposed } from './transforms.js';

/**
 * A row of the key map: Hugging Face's name, Kakao's name, and how the tensor is stored under it. `{p}` means
 * `weight` and `bias`.
 */
export type KeyRow = readonly [to: string, from: string, transform?: Transform];

/** A key, and how the tensor is computed from the stored tensor of that key. */
export interface SourceKey {
  key: string;
  transform: Transform;
}

/** Pairs of Hugging Face's name and Kakao's key. */
export type KeyPairs = Iterable<[name: string, source: SourceKey]>;

/** Expands the rows for a module, whose names have the prefixes `to` and `from`. */
export function* expand(rows: readonly KeyRow[], to = '', from = ''): KeyPairs {
  for (const [name, key, transform = same] of rows) {
    for (const part of name.includes('{p}') ? ['weight', 'bias'] : ['']) {
      const source = { key: from + key.replace('{p}', part), transform };
      yield [to + name.replace('{p}', part), source];
    }
  }
}

/** The statistics of CLIP's image embeddings, the pair (mean, std), which are in another file. */
export function* statisticsKeys(): KeyPairs {
  yield* expand([
    ['clip_mean', '0', row],
    ['clip_std', '1', row],
  ]);
}

/** Keys of tensors that the networks do not need. Any other key without a row is an error. */
const IGNORED: readonly RegExp[] = [
  // CLIP's temperature and settings
  /^(logit_scale|input_resolution|context_length|vocab_size)$/,
  // Buffers that depend only on sizes, and the tokens and mask of the empty prompt
  /^(.+\.)?(attn_mask|causal_mask|cf_token|cf_mask)$/,
  // Buffers with a copy of the statistics, which are read from their own file
  /^(.+\.)?clip_(mean|std)$/,
  // Exponential moving averages of the weights, in modules such as `ema`, `model_ema` and `ema_model`
  /(^|\.)(ema|ema_\w+|\w+_ema)\./,
];

export function isIgnored(key: string): boolean {
  return IGNORED.some((pattern) => pattern.test(key));
}

const PRIOR: readonly KeyRow[] = [
  ['time_embedding.linear_1.{p}', 'time_embed.0.{p}'],
  ['time_embedding.linear_2.{p}', 'time_embed.2.{p}'],
  ['proj_in.{p}', 'clip_img_proj.{p}'],
  ['embedding_proj.{p}', 'text_emb_proj.{p}'],
  ['encoder_hidden_states_proj.{p}', 'text_enc_proj.{p}'],
  ['positional_embedding', 'positional_embedding'],
  ['prd_embedding', 'prd_emb'],
  ['norm_out.{p}', 'final_ln.{p}'],
  ['proj_to_clip_embeddings.{p}', 'out_proj.{p}'],
];

const PRIOR_BLOCK: readonly KeyRow[] = [
  ['norm1.{p}', 'ln_1.{p}'],
  ['attn1.to_q.{p}', 'attn.c_qkv.{p}', interleaved(0, 3)],
  ['attn1.to_k.{p}', 'attn.c_qkv.{p}', interleaved(1, 3)],
  ['attn1.to_v.{p}', 'attn.c_qkv.{p}', interleaved(2, 3)],
  ['attn1.to_out.0.{p}', 'attn.c_proj.{p}'],
  ['norm3.{p}', 'ln_2.{p}'],
  ['ff.net.0.proj.{p}', 'mlp.c_fc.{p}'],
  ['ff.net.2.{p}', 'mlp.c_proj.{p}'],
];

export function* priorKeys({ num_layers: layers }: ComponentConfigs['prior']): KeyPairs {
  yield* expand(PRIOR);
  for (let i = 0; i < layers; i++) {
    yield* expand(PRIOR_BLOCK, `transformer_blocks.${i}.`, `transformer.resblocks.${i}.`);
  }
}

export function* textProjKeys(): KeyPairs {
  yield* expand([
    ['learned_classifier_free_guidance_embeddings', 'cf_param'],
    ['embedding_proj.{p}', 'text_feat_proj.{p}'],
    ['clip_image_embeddings_project_to_time_embeddings.{p}', 'clip_emb.{p}'],
    ['clip_extra_context_tokens_proj.{p}', 'clip_tok_proj.{p}'],
    ['encoder_hidden_states_proj.{p}', 'text_seq_proj.0.{p}'],
    ['text_encoder_hidden_states_norm.{p}', 'text_seq_proj.1.{p}'],
  ]);
}

const CLIP_LAYER: readonly KeyRow[] = [
  ['layer_norm1.{p}', 'ln_1.{p}'],
  ['self_attn.q_proj.{p}', 'attn.in_proj_{p}', stacked(0, 3)],
  ['self_attn.k_proj.{p}', 'attn.in_proj_{p}', stacked(1, 3)],
  ['self_attn.v_proj.{p}', 'attn.in_proj_{p}', stacked(2, 3)],
  ['self_attn.out_proj.{p}', 'attn.out_proj.{p}'],
  ['layer_norm2.{p}', 'ln_2.{p}'],
  ['mlp.fc1.{p}', 'mlp.c_fc.{p}'],
  ['mlp.fc2.{p}', 'mlp.c_proj.{p}'],
];

function* clipLayers(layers: number, to: string, from: string): KeyPairs {
  for (let i = 0; i < layers; i++) {
    yield* expand(CLIP_LAYER, `${to}.encoder.layers.${i}.`, `${from}transformer.resblocks.${i}.`);
  }
}

export function* textEncoderKeys(config: ComponentConfigs['text_encoder']): KeyPairs {
  yield* expand([
    ['text_model.embeddings.token_embedding.weight', 'token_embedding.weight'],
    ['text_model.embeddings.position_embedding.weight', 'positional_embedding'],
    ['text_model.final_layer_norm.{p}', 'ln_final.{p}'],
    ['text_projection.weight', 'text_projection', transposed],
  ]);
  yield* clipLayers(config.num_hidden_layers, 'text_model', '');
}

export function* imageEncoderKeys(config: ComponentConfigs['image_encoder']): KeyPairs {
  yield* expand([
    ['vision_model.embeddings.class_embedding', 'visual.class_embedding'],
    ['vision_model.embeddings.patch_embedding.weight', 'visual.conv1.weight'],
    ['vision_model.embeddings.position_embedding.weight', 'visual.positional_embedding'],
    ['vision_model.pre_layrnorm.{p}', 'visual.ln_pre.{p}'],
    ['vision_model.post_layernorm.{p}', 'visual.ln_post.{p}'],
    ['visual_projection.weight', 'visual.proj', transposed],
  ]);
  yield* clipLayers(config.num_hidden_layers, 'vision_model', 'visual.');
}
