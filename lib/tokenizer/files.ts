import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KarloError } from '../errors.js';
import { type ModelFileKind, readModelFile } from '../util/model-file.js';
import { END_OF_WORD } from './byte-pair-encoder.js';
import { checkJsonSize, corrupt, MAX_TOKENS, MAX_VALUES } from './limits.js';

/** The vocabulary and the merges, as transformers up to version 4 writes them. */
const separateFiles = ['vocab.json', 'merges.txt'] as const;
/** Both in one file. It is the only one that transformers 5 writes. */
const combinedFile = 'tokenizer.json';

/** The files that a tokenizer folder of the Hugging Face layout may contain, and their kinds. */
export const tokenizerFiles = {
  'vocab.json': 'vocabulary',
  'merges.txt': 'merges',
  [combinedFile]: 'tokenizer',
  'tokenizer_config.json': 'config',
  'special_tokens_map.json': 'config',
} as const satisfies Readonly<Record<string, ModelFileKind>>;

/** The parsed contents of a tokenizer folder. */
export interface TokenizerFiles {
  /** The id of each token. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Pairs of symbols separated by a space, lowest rank first. */
  readonly merges: readonly string[];
  /** tokenizer_config.json. */
  readonly config?: Record<string, unknown> | undefined;
  /** special_tokens_map.json. */
  readonly specialTokens?: Record<string, unknown> | undefined;
}

/** How many lines of merges.txt CLIP's tokenizer reads: `49152 - 256 - 2`. */
const MAX_MERGES = 49152 - 256 - 2;
/** Skips a byte order mark. */
const utf8 = new TextDecoder();
const PAIR = /^\S+ \S+$/;

/** The files that a tokenizer folder does not have and needs, from the names of those that it has. */
export function missingTokenizerFiles(names: readonly string[]): string[] {
  if (names.includes(combinedFile)) return [];
  return separateFiles.filter((name) => !names.includes(name));
}

/**
 * Checks by their names that a tokenizer folder has the files that it needs.
 * @returns the names of its files
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND
 */
export async function requireTokenizerFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const missing = missingTokenizerFiles(names);
  if (missing.length === 0) return names;
  const are = missing.length === 1 ? 'is' : 'are';
  const message = `Expected ${separateFiles.join(' and ')}, or ${combinedFile}, in ${folder} but ${missing.join(' and ')} ${are} missing. Copy the tokenizer's files from the published model`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/**
 * Reads a tokenizer folder: `vocab.json` and `merges.txt`, or else `tokenizer.json`; and the two
 * configuration files if they exist.
 * @param signal rejects the promise at once
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function readTokenizerFolder(
  folder: string,
  signal?: AbortSignal,
): Promise<TokenizerFiles> {
  const names = await requireTokenizerFiles(folder);
  const optional = (name: string) => (names.includes(name) ? join(folder, name) : undefined);
  const config = optional('tokenizer_config.json');
  const specialTokens = optional('special_tokens_map.json');
  const [vocabulary, merges] = separateFiles.map(optional);
  if (vocabulary !== undefined && merges !== undefined) {
    return readTokenizerFiles({ vocabulary, merges, config, specialTokens }, signal);
  }
  return readCombined(join(folder, combinedFile), { config, specialTokens }, signal);
}

/**
 * Reads a `tokenizer.json` of Hugging Face's tokenizers. The configuration files take precedence over
 * its tokens.
 */
async function readCombined(
  path: string,
  { config, specialTokens }: ConfigPaths,
  signal?: AbortSignal,
): Promise<TokenizerFiles> {
  const { model, added_tokens: added } = await readObject(path, 'tokenizer', signal);
  const { type, vocab, merges, end_of_word_suffix: suffix, unk_token: unknown } = asObject(model);
  if (type !== 'BPE') throw corrupt('BPE', 'model.type', path, type);
  if (suffix !== END_OF_WORD) {
    throw corrupt(END_OF_WORD, 'model.end_of_word_suffix', path, suffix);
  }
  if (!Array.isArray(merges)) throw corrupt('an array', 'model.merges', path, merges);
  if (!isObject(vocab)) throw corrupt('an object', 'model.vocab', path, vocab);
  return {
    vocabulary: parseVocabulary(vocab, path),
    merges: merges.map((merge, i) => parsePair(merge, i, path)),
    config: {
      ...(typeof unknown === 'string' && { unk_token: unknown }),
      added_tokens_decoder: addedTokens(added),
      ...(await readOptional(config, signal)),
    },
    specialTokens: await readOptional(specialTokens, signal),
  };
}

/** A merge is a pair of symbols, or both in one string (before tokenizers 0.20). */
function parsePair(merge: unknown, rank: number, path: string): string {
  const pair = Array.isArray(merge) && merge.length === 2 ? merge.join(' ') : merge;
  if (typeof pair === 'string' && PAIR.test(pair)) return pair;
  throw corrupt('a pair of symbols', `model.merges[${rank}]`, path, merge);
}

/** `added_tokens` of tokenizer.json as `added_tokens_decoder` of tokenizer_config.json. */
function addedTokens(added: unknown): Record<string, unknown> {
  const tokens = Array.isArray(added) ? added.filter(isObject) : [];
  return Object.fromEntries(tokens.map((token) => [String(token.id), token]));
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The paths of the configuration files that exist. */
interface ConfigPaths {
  /** `tokenizer_config.json` */
  readonly config?: string | undefined;
  /** `special_tokens_map.json` */
  readonly specialTokens?: string | undefined;
}

/** The paths of a tokenizer in separate files. */
export interface TokenizerPaths extends ConfigPaths {
  readonly vocabulary: string;
  readonly merges: string;
}

/**
 * Reads a tokenizer in separate files.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function readTokenizerFiles(
  { vocabulary, merges, config, specialTokens }: TokenizerPaths,
  signal?: AbortSignal,
): Promise<TokenizerFiles> {
  const tokens = await readObject(vocabulary, 'vocabulary', signal);
  return {
    vocabulary: parseVocabulary(tokens, vocabulary),
    merges: parseMerges(utf8.decode(await readModelFile(merges, 'merges', signal)), merges),
    config: await readOptional(config, signal),
    specialTokens: await readOptional(specialTokens, signal),
  };
}

async function readOptional(path: string | undefined, signal: AbortSignal | undefined) {
  return path === undefined ? undefined : await readObject(path, 'config', signal);
}

async function readObject(
  path: string,
  kind: ModelFileKind,
  signal: AbortSignal | undefined,
): Promise<Record<string, unknown>> {
  const bytes = await readModelFile(path, kind, signal);
  checkJsonSize(bytes, path, kind === 'tokenizer' ? MAX_VALUES : MAX_TOKENS);
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new KarloError('ERR_KARLO_MODEL_CORRUPT', `${path} is not JSON`, { cause });
  }
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', `${path} does not contain a JSON object`);
}

function parseVocabulary(file: Record<string, unknown>, path: string): Map<string, number> {
  const vocabulary = new Map<string, number>();
  // Object.keys takes half as long as Object.entries for the 49 408 tokens.
  const tokens = Object.keys(file);
  if (tokens.length > MAX_TOKENS) {
    throw corrupt(`at most ${MAX_TOKENS} tokens`, 'the vocabulary', path, tokens.length);
  }
  for (const token of tokens) {
    const id = file[token];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      throw corrupt('an id', JSON.stringify(token), path, id);
    }
    vocabulary.set(token, id);
  }
  return vocabulary;
}

/** The first line is a header, and is skipped without a check. */
function parseMerges(text: string, path: string): string[] {
  const lines = text.trim().split(/\r\n?|\n/);
  return lines.slice(1, MAX_MERGES + 1).map((line, i) => {
    if (PAIR.test(line)) return line;
    const pair = line.trim().replace(/\s+/, ' ');
    if (PAIR.test(pair)) return pair;
    throw corrupt('a pair', `line ${i + 2}`, path, line);
  });
}
