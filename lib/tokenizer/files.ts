import { readFile } from 'node:fs/promises';
import { KarloError } from '../errors.js';

/** The files that a tokenizer folder must contain. */
export const requiredTokenizerFiles = ['vocab.json', 'merges.txt'] as const;

/** The files that a tokenizer folder of the Hugging Face layout may contain. */
export const tokenizerFiles = [
  ...requiredTokenizerFiles,
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const;

/** The parsed contents of a tokenizer folder. */
export interface TokenizerFiles {
  /** vocab.json: the id of each token. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** merges.txt: pairs of symbols separated by a space, lowest rank first. */
  readonly merges: readonly string[];
  /** tokenizer_config.json. */
  readonly config?: Record<string, unknown> | undefined;
  /** special_tokens_map.json. */
  readonly specialTokens?: Record<string, unknown> | undefined;
}

/** How many lines of merges.txt CLIP's tokenizer reads: `49152 - 256 - 2`. */
const MAX_MERGES = 49152 - 256 - 2;
const PAIR = /^\S+ \S+$/;

/**
 * Reads the files of a tokenizer. The last two are optional.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function readTokenizerFiles(
  vocabulary: string,
  merges: string,
  config?: string,
  specialTokens?: string,
): Promise<TokenizerFiles> {
  return {
    vocabulary: parseVocabulary(await readObject(vocabulary), vocabulary),
    merges: parseMerges(await read(merges), merges),
    config: config === undefined ? undefined : await readObject(config),
    specialTokens: specialTokens === undefined ? undefined : await readObject(specialTokens),
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const code = missing ? 'ERR_KARLO_MODEL_NOT_FOUND' : 'ERR_KARLO_MODEL_CORRUPT';
    throw new KarloError(code, `Cannot read the tokenizer's file ${path}`, { cause });
  }
}

async function readObject(path: string): Promise<Record<string, unknown>> {
  const text = await read(path);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw new KarloError('ERR_KARLO_MODEL_CORRUPT', `${path} is not JSON`, { cause });
  }
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', `${path} does not contain a JSON object`);
}

function parseVocabulary(file: Record<string, unknown>, path: string): Map<string, number> {
  const vocabulary = new Map<string, number>();
  // Object.keys takes half as long as Object.entries for the 49 408 tokens.
  for (const token of Object.keys(file)) {
    const id = file[token];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      const message = `Expected an id for ${JSON.stringify(token)} in ${path} but received ${JSON.stringify(id)}`;
      throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
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
    const message = `Expected a pair in line ${i + 2} of ${path} but received ${JSON.stringify(line.slice(0, 60))}`;
    throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
  });
}
