import { KarloError } from '../errors.js';

/** Tokens that are never cut up, and the parts they play. */
export interface SpecialTokens {
  readonly begin: string;
  readonly end: string;
  readonly unknown: string;
  readonly pad: string;
  /** Ids of all tokens that are found whole in the text, the four above included. */
  readonly ids: ReadonlyMap<string, number>;
  /** `model_max_length`, where it is a length a model can have. */
  readonly length: number | undefined;
}

type Json = Record<string, unknown>;

/** A model_max_length above this stands for "no limit" (Hugging Face writes 1e30). */
const LONGEST = 65_536;

/**
 * Reads tokenizer_config.json and special_tokens_map.json as Hugging Face's slow tokenizer does: the
 * second counts only where the first has no `added_tokens_decoder`.
 *
 * @throws KarloError `ERR_KARLO_MODEL_CORRUPT` for a special token that has no id
 */
export function specialTokens(
  vocabulary: ReadonlyMap<string, number>,
  config: Json = {},
  map: Json = {},
): SpecialTokens {
  const added = addedTokens(config);
  const source = added.size > 0 ? config : { ...config, ...map };
  const roles = {
    begin: content(source.bos_token) ?? '<|startoftext|>',
    end: content(source.eos_token) ?? '<|endoftext|>',
    unknown: content(source.unk_token) ?? '<|endoftext|>',
    pad: content(source.pad_token) ?? '<|endoftext|>',
  };
  const further = source.additional_special_tokens;
  const extra = Array.isArray(further) ? further.map(content) : [];
  const ids = new Map(added);
  for (const token of [...Object.values(roles), ...extra])
    if (token !== undefined && !ids.has(token)) ids.set(token, idOf(token, vocabulary));
  return { ...roles, ids, length: modelLength(config.model_max_length) };
}

function addedTokens(config: Json): Map<string, number> {
  const tokens = new Map<string, number>();
  for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {})) {
    const text = content(token);
    if (text !== undefined && /^\d+$/.test(id)) tokens.set(text, Number(id));
  }
  return tokens;
}

/** A token is a string, or an object that describes one. */
function content(token: unknown): string | undefined {
  if (typeof token === 'object' && token !== null && 'content' in token)
    return content(token.content);
  return typeof token === 'string' && token !== '' ? token : undefined;
}

function idOf(token: string, vocabulary: ReadonlyMap<string, number>): number {
  const id = vocabulary.get(token);
  if (id !== undefined) return id;
  const message = `The tokenizer's special token ${JSON.stringify(token)} is not in its vocabulary`;
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}

function modelLength(length: unknown): number | undefined {
  const fits = typeof length === 'number' && Number.isInteger(length) && length >= 2;
  return fits && length <= LONGEST ? length : undefined;
}
