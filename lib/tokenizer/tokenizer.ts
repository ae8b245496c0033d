import { expected, KarloError } from '../errors.js';
import { BYTE_CHARACTERS, BytePairEncoder, textOf } from './byte-pair-encoder.js';
import { cleanText } from './clean.js';
import { readTokenizerFiles, readTokenizerFolder, type TokenizerFiles } from './files.js';
import { normalizeText, splitWords } from './pre-tokenize.js';
import { readSpecialTokens, type SpecialTokens } from './special-tokens.js';

export interface TokenizerOptions {
  /** The padding: the tokenizer's pad token (the default), or id 0 as in the Kakao layout. */
  readonly pad?: 'token' | 'zero';
  /**
   * How text is normalised before it is split into words. `'basic'` (the default): like Hugging Face's
   * slow tokenizer without ftfy. `'kakao'`: like Kakao's program, see {@link cleanText}.
   */
  readonly clean?: 'basic' | 'kakao';
  /** The number of ids of an encoded prompt. Default: `model_max_length`, or 77 without one. */
  readonly length?: number;
}

/** An encoded prompt, the input of the text encoder. */
export interface Encoding {
  /** Start token, the text's tokens, end token, padding: `length` ids, 77 in CLIP. */
  readonly ids: Int32Array;
  /** 1 for each token, including start and end; 0 for padding. */
  readonly mask: Uint8Array;
  /** The text that was cut off, if any. It may start within a word. */
  readonly truncated: string | undefined;
}

/** CLIP's context length (Radford et al. 2021, section 2.4). */
export const CONTEXT_LENGTH = 77;

/** Words that are never split, in any case. */
const UNSPLIT = ['<|startoftext|>', '<|endoftext|>'];

/**
 * CLIP's byte pair encoding tokenizer (Radford et al. 2021, section 2.4). It produces the same ids as
 * Hugging Face's slow `CLIPTokenizer` without ftfy; with `clean: 'kakao'`, the same as OpenAI's tokenizer.
 */
export class ClipTokenizer {
  /** The number of ids of an encoded prompt. */
  readonly length: number;
  readonly #special: SpecialTokens;
  readonly #bpe: BytePairEncoder;
  readonly #vocabulary: ReadonlyMap<string, number>;
  #tokensById: ReadonlyMap<number, string> | undefined;
  readonly #splitter: RegExp;
  readonly #unsplit: ReadonlyMap<string, number>;
  readonly #clean: 'basic' | 'kakao';
  readonly #ids: { begin: number; end: number; pad: number };

  /** @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for files that do not match each other */
  constructor(files: TokenizerFiles, options: TokenizerOptions = {}) {
    const special = readSpecialTokens(files.vocabulary, files.config, files.specialTokens);
    const id = (token: string) => special.ids.get(token) as number;
    checkMerges(files, special);
    this.#special = special;
    this.#bpe = new BytePairEncoder(files.vocabulary, files.merges, id(special.unknown));
    this.#vocabulary = files.vocabulary;
    const known = (word: string) => files.vocabulary.get(word) ?? special.ids.get(word);
    this.#unsplit = new Map(UNSPLIT.map((word) => [word, known(word) ?? id(special.unknown)]));
    this.#splitter = anyOf([...special.ids.keys()]);
    this.#clean = options.clean ?? 'basic';
    const pad = options.pad === 'zero' ? 0 : id(special.pad);
    this.#ids = { begin: id(special.begin), end: id(special.end), pad };
    this.length = options.length ?? special.maxLength ?? CONTEXT_LENGTH;
  }

  /**
   * Reads a tokenizer from its files.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  static async fromFiles(
    vocabulary: string,
    merges: string,
    {
      tokenizerConfig,
      specialTokensMap,
      ...options
    }: TokenizerOptions & { tokenizerConfig?: string; specialTokensMap?: string } = {},
  ): Promise<ClipTokenizer> {
    const configs = { config: tokenizerConfig, specialTokens: specialTokensMap };
    return new ClipTokenizer(await readTokenizerFiles({ vocabulary, merges, ...configs }), options);
  }

  /**
   * Reads a tokenizer from a folder: `vocab.json` and `merges.txt`, or else `tokenizer.json`; and the two
   * configuration files if they exist.
   * @param options.signal rejects the promise at once
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  static async fromFolder(
    folder: string,
    { signal, ...options }: TokenizerOptions & { signal?: AbortSignal | undefined } = {},
  ): Promise<ClipTokenizer> {
    return new ClipTokenizer(await readTokenizerFolder(folder, signal), options);
  }

  /**
   * Encodes a prompt. Tokens that exceed the length are cut off before the end token, and reported as text.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for anything but a string
   */
  encode(text: string): Encoding {
    if (typeof text !== 'string') throw expected('string', 'text', text);
    const { begin, end, pad } = this.#ids;
    const tokens = [...this.#tokens(text)];
    const kept = tokens.slice(0, this.length - 2);
    const used = kept.length + 2;
    return {
      ids: Int32Array.of(begin, ...kept, end, ...Array(this.length - used).fill(pad)),
      mask: new Uint8Array(this.length).fill(1, 0, used),
      truncated: tokens.length > kept.length ? this.decode(tokens.slice(kept.length)) : undefined,
    };
  }

  /** Decodes token ids to text. Case and spacing are lost: lower case, words separated by one space. */
  decode(ids: Iterable<number>): string {
    // Created on first use, because few prompts are cut off.
    this.#tokensById ??= new Map(
      [...this.#vocabulary, ...this.#special.ids].map(([token, id]) => [id, token]),
    );
    const tokens = this.#tokensById;
    return textOf(Array.from(ids, (id) => tokens.get(id) ?? ''));
  }

  *#tokens(text: string): Generator<number, void, undefined> {
    if (this.#clean === 'kakao') return yield* this.#encodeWords(cleanText(text).toLowerCase());
    for (const part of text.split(this.#splitter)) {
      const special = this.#special.ids.get(part);
      if (special === undefined) yield* this.#encodeWords(normalizeText(part));
      else yield special;
    }
  }

  *#encodeWords(text: string): Generator<number, void, undefined> {
    for (const word of splitWords(text)) {
      const id = this.#unsplit.get(word);
      if (id === undefined) yield* this.#bpe.encode(word);
      else yield id;
    }
  }
}

/**
 * CLIP's vocabulary has each byte twice, within and at the end of a word, a token for each merge, and the
 * special tokens (Radford et al. 2021, section 2.4). More tokens than that mean that merges are missing.
 */
function checkMerges({ vocabulary, merges }: TokenizerFiles, { ids }: SpecialTokens): void {
  const special = [...ids.keys()].filter((token) => vocabulary.has(token)).length;
  const needed = vocabulary.size - special - 2 * BYTE_CHARACTERS.length;
  if (merges.length >= needed) return;
  const message = `Expected at least ${needed} merges for the tokenizer's vocabulary of ${vocabulary.size} tokens but received ${merges.length}. Copy the tokenizer's files from the published model`;
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}

/** An expression that splits text at any of the tokens and keeps them. The longest match wins. */
function anyOf(tokens: string[]): RegExp {
  const longestFirst = tokens.sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`(${escaped.join('|')})`);
}
