import { readFile } from 'node:fs/promises';
import { KarloError } from '../errors.js';

/** What a tokenizer folder must hold. */
export const requiredTokenizerFiles = ['vocab.json', 'merges.txt'] as const;

/** What a tokenizer folder of the Hugging Face layout may hold. */
export const tokenizerFiles = [
  ...requiredTokenizerFiles,
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const;

/** What a tokenizer is made of: the parsed contents of a tokenizer folder. */
export interface TokenizerFiles {
  /** vocab.json: the id of each piece. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** merges.txt: pairs of pieces, a space between them, the first to merge first. */
  readonly merges: readonly string[];
  /** tokenizer_config.json. */
  readonly config?: Record<string, unknown> | undefined;
  /** special_tokens_map.json. */
  readonly specialTokens?: Record<string, unknown> | undefined;
}

/** CLIP's vocabulary without single bytes (twice 256) and the two special tokens. */
const MOST_MERGES = 49152 - 256 - 2;
const PAIR = /^\S+ \S+$/;

/** Reads a tokenizer's files; the last two may be left out. */
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
    throw new KarloError(code, `The tokenizer's file ${path} cannot be read`, { cause });
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
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', `${path} does not hold a JSON object`);
}

function parseVocabulary(file: Record<string, unknown>, path: string): Map<string, number> {
  const vocabulary = new Map<string, number>();
  // Half as long as over the entries, at 49 408 of them.
  for (const piece of Object.keys(file)) {
    const id = file[piece];
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) {
      const message = `${path} gives ${JSON.stringify(piece)} no id: ${JSON.stringify(id)}`;
      throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
    }
    vocabulary.set(piece, id);
  }
  return vocabulary;
}

/** The first line is a header, whatever it holds. */
function parseMerges(text: string, path: string): string[] {
  const lines = text.trim().split(/\r\n?|\n/);
  return lines.slice(1, MOST_MERGES + 1).map((line, i) => {
    if (PAIR.test(line)) return line;
    const pair = line.trim().replace(/\s+/, ' ');
    if (PAIR.test(pair)) return pair;
    const message = `${path} has no pair in line ${i + 2}: ${JSON.stringify(line.slice(0, 60))}`;
    throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
  });
}
