import { z } from 'zod';
import { corrupt } from '../weights/corrupt.js';
import { JsonReader } from '../weights/json.js';
import { withFile } from '../weights/source.js';
import {
  type ImageEncoderConfig,
  imageEncoderConfig,
  type TextEncoderConfig,
  textEncoderConfig,
} from './config-clip.js';
import { only, repeats, size } from './config-fields.js';
import {
  type DecoderConfig,
  decoderConfig,
  type SuperResConfig,
  superResConfig,
} from './config-unet.js';
import type { ComponentName } from './registry.js';

/** Largest config file, in bytes. */
const MAX_CONFIG = 1024 * 1024;

/** The prior: diffusers' `PriorTransformer`, the part of it that Karlo uses. */
export const priorConfig = z.object({
  num_attention_heads: repeats.prefault(32),
  attention_head_dim: size.prefault(64),
  num_layers: repeats.prefault(20),
  embedding_dim: size.prefault(768),
  num_embeddings: size.prefault(77),
  additional_embeddings: only(4),
  time_embed_act_fn: only('silu'),
  norm_in_type: only(null),
  embedding_proj_norm_type: only(null),
  encoder_hid_proj_type: only('linear'),
  added_emb_type: only('prd'),
  time_embed_dim: size.nullable().prefault(null),
  embedding_proj_dim: size.nullable().prefault(null),
  clip_embed_dim: size.nullable().prefault(null),
});

/** The text projection: diffusers' `UnCLIPTextProjModel`. */
export const textProjConfig = z.object({
  clip_extra_context_tokens: repeats.prefault(4),
  clip_embeddings_dim: size.prefault(768),
  time_embed_dim: size,
  cross_attention_dim: size,
});

export type PriorConfig = z.infer<typeof priorConfig>;
export type TextProjConfig = z.infer<typeof textProjConfig>;

/** The config of each component, in the words of Hugging Face's config files. */
export interface ComponentConfigs {
  prior: PriorConfig;
  decoder: DecoderConfig;
  text_proj: TextProjConfig;
  super_res_first: SuperResConfig;
  super_res_last: SuperResConfig;
  text_encoder: TextEncoderConfig;
  image_encoder: ImageEncoderConfig;
}

const SCHEMAS: { [N in ComponentName]: z.ZodType<ComponentConfigs[N]> } = {
  prior: priorConfig,
  decoder: decoderConfig,
  text_proj: textProjConfig,
  super_res_first: superResConfig,
  super_res_last: superResConfig,
  text_encoder: textEncoderConfig,
  image_encoder: imageEncoderConfig,
};

/** Checks a component's config, absent keys filled in with the library's defaults. */
export function parseConfig<N extends ComponentName>(
  component: N,
  value: unknown,
  file: string,
): ComponentConfigs[N] {
  return checkConfig(SCHEMAS[component] as z.ZodType<ComponentConfigs[N]>, value, file);
}

/** Reads and checks a component's `config.json`. */
export async function readConfig<N extends ComponentName>(
  component: N,
  path: string,
): Promise<ComponentConfigs[N]> {
  return parseConfig(component, await readJson(path), path);
}

/**
 * Checks `value` against `schema`.
 * Throws `ERR_KARLO_MODEL_CORRUPT` naming the key, with expected and actual.
 */
export function checkConfig<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const key = issue.path.join('.') || 'config';
  throw corrupt(expectation(issue), key, file, received(value, issue), result.error);
}

/** A JSON file as a value. Refuses keys given twice, depth over 16 and files over 1 MB. */
export async function readJson(path: string): Promise<unknown> {
  return withFile(path, async (source) => {
    if (source.size > MAX_CONFIG) {
      throw corrupt(`at most ${MAX_CONFIG} bytes`, 'size', path, source.size);
    }
    const bytes = await source.read(0, source.size);
    const json = new JsonReader(bytes, path, 'JSON');
    json.skip();
    json.end();
    return JSON.parse(bytes.toString('utf8'));
  });
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'invalid_type':
      return issue.expected;
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function received(value: unknown, issue: z.core.$ZodIssue): string {
  let found: unknown = value;
  for (const key of issue.path) found = (found as Record<PropertyKey, unknown> | null)?.[key];
  return found === undefined ? 'no value' : JSON.stringify(found);
}
