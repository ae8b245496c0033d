import { KarloError } from '../errors.js';

/** Tokens that are never split, and their roles. */
export interface SpecialTokens {
  readonly begin: string;
  readonly end: string;
  readonly unknown: string;
  readonly pad: string;
  /** Ids of all tokens that are recognised in a text as a whole, including the four above. */
  readonly ids: ReadonlyMap<string, number>;
  /** `model_max_length`; undefined if it means "no limit". */
  readonly maxLength: number | undefined;
}

/** Every text is searched for all of them; CLIP has two. */
const MAX_SPECIAL = 10_000;

type Json = Record<string, unknown>;

/** A larger `model_max_length` means "no limit" (Hugging Face writes 1e30). */
const MAX_LENGTH = 65_536;

/**
 * Reads tokenizer_config.json and special_tokens_map.json as Hugging Face's slow tokenizer does: the
 * second is used only if the first has no `added_tokens_decoder`.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for a special token without an id
 */
export function readSpecialTokens(
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
  const { additional_special_tokens: additional } = source;
  const others = Array.isArray(additional) ? additional.map(content) : [];
  const ids = new Map(added);
  for (const token of [...Object.values(roles), ...others])
    if (token !== undefined && !ids.has(token)) ids.set(token, idOf(token, vocabulary));
  if (ids.size > MAX_SPECIAL) throw tooMany(ids.size);
  return { ...roles, ids, maxLength: maxLength(config.model_max_length) };
}

function addedTokens(config: Json): Map<string, number> {
  const tokens = new Map<string, number>();
  for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {})) {
    const text = content(token);
    if (text !== undefined && /^\d+$/.test(id)) tokens.set(text, Number(id));
  }
  return tokens;
}

/** A token is given as a string, or as an object with its content. */
function content(token: unknown): string | undefined {
  const isObject = typeof token === 'object' && token !== null && 'content' in token;
  const text = isObject ? token.content : token;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function idOf(token: string, vocabulary: ReadonlyMap<string, number>): number {
  const id = vocabulary.get(token);
  if (id !== undefined) return id;
  const message = `The tokenizer's special token ${JSON.stringify(token)} is not in its vocabulary`;
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}

function tooMany(count: number): KarloError {
  const message = `Expected at most ${MAX_SPECIAL} special tokens for the tokenizer but received ${count}`;
  return new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}

function maxLength(length: unknown): number | undefined {
  const valid = typeof length === 'number' && Number.isInteger(length) && length >= 2;
  return valid && length <= MAX_LENGTH ? length : undefined;
}
