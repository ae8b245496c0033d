import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expected } from '../errors.js';
import { BytePairs } from './byte-pairs.js';
import { textOf } from './bytes.js';
import { cleanText } from './clean.js';
import { readTokenizerFiles, type TokenizerFiles } from './files.js';
import { type SpecialTokens, specialTokens } from './special-tokens.js';
import { basicText, words } from './words.js';

export interface TokenizerOptions {
  /** What fills the row: the tokenizer's pad token (the default), or id 0 as in the Kakao layout. */
  readonly pad?: 'token' | 'zero';
  /**
   * What happens to text before it is cut into words. `'basic'` (the default): as Hugging Face's slow
   * tokenizer without ftfy. `'kakao'`: {@link cleanText}, as the original program.
   */
  readonly clean?: 'basic' | 'kakao';
  /** Length of a row of ids; `model_max_length`, or else 77, by default. */
  readonly length?: number;
}

/** A prompt as the text encoder reads it. */
export interface Encoding {
  /** Begin token, words, end token, padding: `length` ids, 77 in CLIP. */
  readonly ids: Int32Array;
  /** 1 for each token, begin and end included; 0 for padding. */
  readonly mask: Uint8Array;
  /** The text that did not fit, if any did not; it may begin within a word. */
  readonly truncated: string | undefined;
}

/** CLIP's context length (Radford et al. 2021, section 2.4). */
const CONTEXT = 77;

/** Words that byte pairs never cut, in whatever case they were written. */
const WHOLE = ['<|startoftext|>', '<|endoftext|>'];

/**
 * CLIP's byte pair tokenizer (Radford et al. 2021, section 2.4). Its ids are those of Hugging Face's
 * slow `CLIPTokenizer` without ftfy, or with `clean: 'kakao'` those of OpenAI's own.
 */
export class ClipTokenizer {
  /** Length of a row of ids. */
  readonly length: number;
  readonly #special: SpecialTokens;
  readonly #pairs: BytePairs;
  readonly #vocabulary: ReadonlyMap<string, number>;
  #pieces: ReadonlyMap<number, string> | undefined;
  readonly #splitter: RegExp;
  readonly #whole: ReadonlyMap<string, number>;
  readonly #clean: 'basic' | 'kakao';
  readonly #ends: { begin: number; end: number; pad: number };

  /** @throws KarloError `ERR_KARLO_MODEL_CORRUPT` for files that do not fit together */
  constructor(files: TokenizerFiles, options: TokenizerOptions = {}) {
    const special = specialTokens(files.vocabulary, files.config, files.specialTokens);
    const id = (token: string) => special.ids.get(token) as number;
    this.#special = special;
    this.#pairs = new BytePairs(files.vocabulary, files.merges, id(special.unknown));
    this.#vocabulary = files.vocabulary;
    const known = (word: string) => files.vocabulary.get(word) ?? special.ids.get(word);
    this.#whole = new Map(WHOLE.map((word) => [word, known(word) ?? id(special.unknown)]));
    this.#splitter = anyOf([...special.ids.keys()]);
    this.#clean = options.clean ?? 'basic';
    const pad = options.pad === 'zero' ? 0 : id(special.pad);
    this.#ends = { begin: id(special.begin), end: id(special.end), pad };
    this.length = options.length ?? special.length ?? CONTEXT;
  }

  /**
   * A tokenizer from its files.
   *
   * @throws KarloError `ERR_KARLO_MODEL_NOT_FOUND` or `ERR_KARLO_MODEL_CORRUPT`
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
    const files = await readTokenizerFiles(vocabulary, merges, tokenizerConfig, specialTokensMap);
    return new ClipTokenizer(files, options);
  }

  /** The tokenizer of a folder: vocab.json, merges.txt, and if there the two configurations. */
  static async fromFolder(folder: string, options: TokenizerOptions = {}): Promise<ClipTokenizer> {
    const optional = (name: string) =>
      existsSync(join(folder, name)) ? join(folder, name) : undefined;
    const files = await readTokenizerFiles(
      join(folder, 'vocab.json'),
      join(folder, 'merges.txt'),
      optional('tokenizer_config.json'),
      optional('special_tokens_map.json'),
    );
    return new ClipTokenizer(files, options);
  }

  /**
   * A prompt's row of ids. What does not fit is cut off before the end token, and reported.
   *
   * @throws KarloError `ERR_KARLO_INVALID_ARGUMENT` for anything but a string
   */
  encode(text: string): Encoding {
    if (typeof text !== 'string') throw expected('string', 'text', text);
    const { begin, end, pad } = this.#ends;
    const tokens = [...this.#tokens(text)];
    const kept = tokens.slice(0, this.length - 2);
    const used = kept.length + 2;
    return {
      ids: Int32Array.of(begin, ...kept, end, ...Array(this.length - used).fill(pad)),
      mask: new Uint8Array(this.length).fill(1, 0, used),
      truncated: tokens.length > kept.length ? this.decode(tokens.slice(kept.length)) : undefined,
    };
  }

  /** The text of token ids, as far as it can be told: lower case, words apart by one space. */
  decode(ids: Iterable<number>): string {
    // Made when it is first needed: hardly ever.
    this.#pieces ??= new Map(
      [...this.#vocabulary, ...this.#special.ids].map(([piece, id]) => [id, piece]),
    );
    const pieces = this.#pieces;
    return textOf(Array.from(ids, (id) => pieces.get(id) ?? ''));
  }

  *#tokens(text: string): Generator<number, void, undefined> {
    if (this.#clean === 'kakao') return yield* this.#merged(cleanText(text).toLowerCase());
    for (const part of text.split(this.#splitter)) {
      const special = this.#special.ids.get(part);
      if (special === undefined) yield* this.#merged(basicText(part));
      else yield special;
    }
  }

  *#merged(text: string): Generator<number, void, undefined> {
    for (const word of words(text)) {
      const whole = this.#whole.get(word);
      if (whole === undefined) yield* this.#pairs.encode(word);
      else yield whole;
    }
  }
}

/** Splits text at any of the tokens and keeps them; where two fit, the longer one counts. */
function anyOf(tokens: string[]): RegExp {
  const longestFirst = tokens.sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((token) => token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return new RegExp(`(${escaped.join('|')})`);
}
