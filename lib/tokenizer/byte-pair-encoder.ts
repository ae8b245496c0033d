import { MinHeap } from './min-heap.js';

/**
 * The byte alphabet of GPT-2 (`bytes_to_unicode`): one visible character for each of the 256 bytes.
 * Printable Latin-1 bytes are their own characters; the others are U+0100 and up, in order.
 */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

/** Ends the last symbol of a word. */
export const END_OF_WORD = '</w>';

/** The number of words that are cached; after that, the cache is cleared. */
const CACHED_WORDS = 8192;
/** Longer words (in UTF-16 units) are rarely repeated, and are not cached. */
const CACHED_LENGTH = 64;
/** More than the bytes of any word, so that `rank * POSITIONS + position` is exact in a double. */
const POSITIONS = 2 ** 32;
const NONE = -1;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const bytesOfCharacters = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** The symbols of a word as a linked list in arrays. A symbol that was merged into its left neighbour is undefined. */
interface SymbolList {
  readonly symbols: (string | undefined)[];
  readonly next: Int32Array;
  readonly previous: Int32Array;
}

/**
 * Byte pair encoding (Sennrich et al. 2016): merges the adjacent pair of lowest rank, everywhere in the
 * word from left to right, until no pair has a rank.
 *
 * The original loop scans the whole word for each merge and is quadratic in its length. This one keeps
 * the ranked pairs in a heap, by rank and position, and takes O(n log n) for n bytes. As in the original
 * loop, all occurrences of a pair are merged before the pairs that these merges create are considered,
 * even if a new pair has a lower rank.
 */
export class BytePairEncoder {
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #cache = new Map<string, readonly number[]>();

  /**
   * @param vocabulary the id of each token
   * @param merges pairs of symbols separated by a space, lowest rank first
   * @param unknown the id for symbols that are not in the vocabulary
   */
  constructor(
    private readonly vocabulary: ReadonlyMap<string, number>,
    merges: readonly string[],
    private readonly unknown: number,
  ) {
    const ranks = new Map<string, number>();
    for (const [rank, pair] of merges.entries()) ranks.set(pair, rank);
    this.#ranks = ranks;
  }

  /** The token ids of one word, which may contain any characters. */
  encode(word: string): readonly number[] {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const ids = this.#merge(word);
    if (word.length > CACHED_LENGTH) return ids;
    if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  #merge(word: string): number[] {
    const list = symbolList(word);
    const heap = new MinHeap();
    for (let i = 0; i < list.symbols.length; i++) this.#queuePair(list, i, heap);
    const changed: number[] = [];
    while (heap.min !== Number.POSITIVE_INFINITY) {
      const key = heap.pop();
      const rank = Math.floor(key / POSITIONS);
      const position = key % POSITIONS;
      // An earlier merge may have changed the pair.
      if (this.#rankAt(list, position) === rank) mergePair(list, position, changed);
      if (heap.min < (rank + 1) * POSITIONS) continue;
      for (const touched of changed) this.#queuePair(list, touched, heap);
      changed.length = 0;
    }
    return this.#idsOf(list);
  }

  /** The rank of the pair that starts at a position; undefined if it has none. */
  #rankAt({ symbols, next }: SymbolList, position: number): number | undefined {
    const left = symbols[position];
    const right = symbols[next[position] as number];
    if (left === undefined || right === undefined) return undefined;
    return this.#ranks.get(`${left} ${right}`);
  }

  #queuePair(list: SymbolList, position: number, heap: MinHeap): void {
    const rank = this.#rankAt(list, position);
    if (rank !== undefined) heap.push(rank * POSITIONS + position);
  }

  #idsOf({ symbols }: SymbolList): number[] {
    const tokens = symbols.filter((symbol) => symbol !== undefined);
    return tokens.map((token) => this.vocabulary.get(token) ?? this.unknown);
  }
}

/** The text of vocabulary tokens. Bytes that are not valid UTF-8 become U+FFFD. */
export function textOf(tokens: Iterable<string>): string {
  const bytes: number[] = [];
  for (const token of tokens)
    for (const character of token) {
      const byte = bytesOfCharacters.get(character);
      if (byte !== undefined) bytes.push(byte);
    }
  return decoder.decode(Uint8Array.from(bytes)).replaceAll(END_OF_WORD, ' ').trim();
}

function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(visible ? byte : next++);
  });
}

function symbolList(word: string): SymbolList {
  const bytes = encoder.encode(word);
  const symbols = Array.from(bytes, (byte) => BYTE_CHARACTERS[byte] as string);
  const last = bytes.length - 1;
  if (last >= 0) symbols[last] += END_OF_WORD;
  return {
    symbols,
    next: Int32Array.from(bytes, (_, i) => (i === last ? NONE : i + 1)),
    previous: Int32Array.from(bytes, (_, i) => i - 1),
  };
}

/** Merges the pair that starts at a position, and adds the positions whose pairs this changes to `changed`. */
function mergePair(
  { symbols, next, previous }: SymbolList,
  position: number,
  changed: number[],
): void {
  const right = next[position] as number;
  const after = next[right] as number;
  symbols[position] = `${symbols[position]}${symbols[right]}`;
  symbols[right] = undefined;
  next[position] = after;
  if (after !== NONE) previous[after] = position;
  const before = previous[position] as number;
  if (before !== NONE) changed.push(before);
  changed.push(position);
}
