import type { ComponentConfigs } from '../../networks/config.js';
import type { ComponentName } from '../../networks/registry.js';
import { interleaved, row, stacked, transposed } from '../../networks/view-steps.js';
import type { KakaoFile } from './files.js';
import { type KeyRow, type KeyTable, keyTable } from './key-table.js';
import { unetKeys } from './unet-keys.js';

/** Which file a component's tensors lie in, and under which prefix. */
export const KAKAO_PLACES: Readonly<Record<ComponentName, { file: KakaoFile; prefix: string }>> = {
  prior: { file: 'prior', prefix: 'model.' },
  decoder: { file: 'decoder', prefix: 'model.' },
  text_proj: { file: 'decoder', prefix: 'model.' },
  super_res_first: { file: 'superRes', prefix: 'model_first_steps.' },
  super_res_last: { file: 'superRes', prefix: 'model_last_step.' },
  text_encoder: { file: 'clip', prefix: '' },
  image_encoder: { file: 'clip', prefix: '' },
};

/** The prior's statistics of CLIP's embeddings are a file of their own: the pair (mean, std). */
export const STATS_KEYS: readonly KeyRow[] = [
  ['clip_mean', '0', row],
  ['clip_std', '1', row],
];

/** Keys that carry no weights: CLIP's settings and temperature, and masks rebuilt from sizes. */
export const KAKAO_IGNORED =
  /^(logit_scale|input_resolution|context_length|vocab_size|(.+\.)?(attn|causal)_mask)$/;

const PRIOR: readonly KeyRow[] = [
  ['time_embedding.linear_1.{p}', 'time_embed.0.{p}'],
  ['time_embedding.linear_2.{p}', 'time_embed.2.{p}'],
  ['proj_in.{p}', 'clip_img_proj.{p}'],
  ['embedding_proj.{p}', 'text_emb_proj.{p}'],
  ['encoder_hidden_states_proj.{p}', 'text_enc_proj.{p}'],
  ['positional_embedding', 'positional_embedding'],
  ['prd_embedding', 'prd_emb'],
  ['transformer_blocks.{i}.norm1.{p}', 'transformer.resblocks.{i}.ln_1.{p}'],
  [
    'transformer_blocks.{i}.attn1.to_q.{p}',
    'transformer.resblocks.{i}.attn.c_qkv.{p}',
    interleaved(0, 3),
  ],
  [
    'transformer_blocks.{i}.attn1.to_k.{p}',
    'transformer.resblocks.{i}.attn.c_qkv.{p}',
    interleaved(1, 3),
  ],
  [
    'transformer_blocks.{i}.attn1.to_v.{p}',
    'transformer.resblocks.{i}.attn.c_qkv.{p}',
    interleaved(2, 3),
  ],
  ['transformer_blocks.{i}.attn1.to_out.0.{p}', 'transformer.resblocks.{i}.attn.c_proj.{p}'],
  ['transformer_blocks.{i}.norm3.{p}', 'transformer.resblocks.{i}.ln_2.{p}'],
  ['transformer_blocks.{i}.ff.net.0.proj.{p}', 'transformer.resblocks.{i}.mlp.c_fc.{p}'],
  ['transformer_blocks.{i}.ff.net.2.{p}', 'transformer.resblocks.{i}.mlp.c_proj.{p}'],
  ['norm_out.{p}', 'final_ln.{p}'],
  ['proj_to_clip_embeddings.{p}', 'out_proj.{p}'],
];

const TEXT_PROJ: readonly KeyRow[] = [
  ['learned_classifier_free_guidance_embeddings', 'cf_param'],
  ['embedding_proj.{p}', 'text_feat_proj.{p}'],
  ['clip_image_embeddings_project_to_time_embeddings.{p}', 'clip_emb.{p}'],
  ['clip_extra_context_tokens_proj.{p}', 'clip_tok_proj.{p}'],
  ['encoder_hidden_states_proj.{p}', 'text_seq_proj.0.{p}'],
  ['text_encoder_hidden_states_norm.{p}', 'text_seq_proj.1.{p}'],
];

const TEXT_ENCODER: readonly KeyRow[] = [
  ['text_model.embeddings.token_embedding.weight', 'token_embedding.weight'],
  ['text_model.embeddings.position_embedding.weight', 'positional_embedding'],
  ...clipLayers('text_model.encoder.layers.{i}', 'transformer.resblocks.{i}'),
  ['text_model.final_layer_norm.{p}', 'ln_final.{p}'],
  ['text_projection.weight', 'text_projection', transposed],
];

const IMAGE_ENCODER: readonly KeyRow[] = [
  ['vision_model.embeddings.class_embedding', 'visual.class_embedding'],
  ['vision_model.embeddings.patch_embedding.weight', 'visual.conv1.weight'],
  ['vision_model.embeddings.position_embedding.weight', 'visual.positional_embedding'],
  ['vision_model.pre_layrnorm.{p}', 'visual.ln_pre.{p}'],
  ...clipLayers('vision_model.encoder.layers.{i}', 'visual.transformer.resblocks.{i}'),
  ['vision_model.post_layernorm.{p}', 'visual.ln_post.{p}'],
  ['visual_projection.weight', 'visual.proj', transposed],
];

function clipLayers(to: string, from: string): KeyRow[] {
  return [
    [`${to}.layer_norm1.{p}`, `${from}.ln_1.{p}`],
    [`${to}.self_attn.q_proj.{p}`, `${from}.attn.in_proj_{p}`, stacked(0, 3)],
    [`${to}.self_attn.k_proj.{p}`, `${from}.attn.in_proj_{p}`, stacked(1, 3)],
    [`${to}.self_attn.v_proj.{p}`, `${from}.attn.in_proj_{p}`, stacked(2, 3)],
    [`${to}.self_attn.out_proj.{p}`, `${from}.attn.out_proj.{p}`],
    [`${to}.layer_norm2.{p}`, `${from}.ln_2.{p}`],
    [`${to}.mlp.fc1.{p}`, `${from}.mlp.c_fc.{p}`],
    [`${to}.mlp.fc2.{p}`, `${from}.mlp.c_proj.{p}`],
  ];
}

const TABLES: { [N in ComponentName]: (config: ComponentConfigs[N]) => KeyTable } = {
  prior: () => keyTable(PRIOR),
  text_proj: () => keyTable(TEXT_PROJ),
  text_encoder: () => keyTable(TEXT_ENCODER),
  image_encoder: () => keyTable(IMAGE_ENCODER),
  decoder: unetKeys,
  super_res_first: unetKeys,
  super_res_last: unetKeys,
};

/** Canonical name → Kakao's name without its prefix, for a network of this config. */
export function kakaoKeys<N extends ComponentName>(
  component: N,
  config: ComponentConfigs[N],
): KeyTable {
  return TABLES[component](config);
}
