import { BYTE_CHARACTERS, WORD_END } from './bytes.js';
import { MinHeap } from './min-heap.js';

/** Words kept ready; past it the cache starts again. */
const CACHED_WORDS = 8192;
/** Longer words (UTF-16 units) are hardly met twice. */
const CACHED_LENGTH = 64;
/** Above any word's length in bytes: a rank times this, plus a place, is exact in a double. */
const PLACES = 2 ** 32;
const GONE = -1;

const utf8 = new TextEncoder();

/** A word in the making: a linked list of symbols over arrays. A merged-away place is GONE. */
interface Chain {
  readonly symbols: Int32Array;
  readonly next: Int32Array;
  readonly previous: Int32Array;
}

/**
 * Byte pair encoding (Sennrich et al. 2016): of all neighbours in a word, those of the lowest rank are
 * joined, everywhere from left to right, until no pair has a rank.
 *
 * The usual loop rescans the word for each merge, quadratic in its length. Here a heap holds each
 * ranked pair by rank and place, so that a word of n bytes takes O(n log n). A round takes all pairs
 * of one rank, and pairs that it makes wait for its end: the result is the usual loop's also where a
 * new pair ranks lower than the one that made it.
 */
export class BytePairs {
  readonly #symbols = new Map<string, number>();
  readonly #ids: number[] = [];
  readonly #ranks = new Map<number, number>();
  readonly #merged: number[] = [];
  readonly #bytes: number[];
  readonly #endBytes: number[];
  readonly #cache = new Map<string, readonly number[]>();

  /**
   * @param vocabulary id of each piece
   * @param merges pairs of pieces, the first to merge first
   * @param unknown the id of a piece that the vocabulary lacks
   */
  constructor(
    private readonly vocabulary: ReadonlyMap<string, number>,
    merges: readonly (readonly [string, string])[],
    private readonly unknown: number,
  ) {
    this.#bytes = BYTE_CHARACTERS.map((character) => this.#symbol(character));
    this.#endBytes = BYTE_CHARACTERS.map((character) => this.#symbol(character + WORD_END));
    merges.forEach(([left, right], rank) => {
      this.#ranks.set(pairKey(this.#symbol(left), this.#symbol(right)), rank);
      this.#merged[rank] = this.#symbol(left + right);
    });
  }

  /** Token ids of one word, which may hold any characters. */
  encode(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const ids = this.#merge(word);
    if (word.length > CACHED_LENGTH) return ids;
    if (this.#cache.size >= CACHED_WORDS) this.#cache.clear();
    this.#cache.set(word, ids);
    return ids;
  }

  #symbol(piece: string): number {
    const known = this.#symbols.get(piece);
    if (known !== undefined) return known;
    const symbol = this.#symbols.size;
    this.#symbols.set(piece, symbol);
    this.#ids[symbol] = this.vocabulary.get(piece) ?? this.unknown;
    return symbol;
  }

  #merge(word: string): number[] {
    const chain = this.#chain(word);
    const heap = new MinHeap();
    for (let place = 0; place < chain.symbols.length; place++) this.#queue(chain, place, heap);
    const changed: number[] = [];
    while (heap.least !== Number.POSITIVE_INFINITY) {
      const key = heap.pop();
      const rank = Math.floor(key / PLACES);
      const place = key % PLACES;
      if (this.#rankAt(chain, place) === rank) this.#join(chain, place, rank, changed);
      if (heap.least < (rank + 1) * PLACES) continue;
      for (const touched of changed) this.#queue(chain, touched, heap);
      changed.length = 0;
    }
    return this.#idsOf(chain);
  }

  #chain(word: string): Chain {
    const bytes = utf8.encode(word);
    const symbols = Int32Array.from(bytes, (byte) => this.#bytes[byte] as number);
    const last = bytes.length - 1;
    if (last >= 0) symbols[last] = this.#endBytes[bytes[last] as number] as number;
    return {
      symbols,
      next: Int32Array.from(bytes, (_, i) => (i === last ? GONE : i + 1)),
      previous: Int32Array.from(bytes, (_, i) => i - 1),
    };
  }

  /** Rank of the pair that begins at a place; undefined without one. */
  #rankAt({ symbols, next }: Chain, place: number): number | undefined {
    const left = symbols[place] as number;
    const right = symbols[next[place] as number];
    if (left === GONE || right === undefined) return undefined;
    return this.#ranks.get(pairKey(left, right));
  }

  #queue(chain: Chain, place: number, heap: MinHeap): void {
    const rank = this.#rankAt(chain, place);
    if (rank !== undefined) heap.push(rank * PLACES + place);
  }

  #join(chain: Chain, place: number, rank: number, changed: number[]): void {
    const { symbols, next, previous } = chain;
    const eaten = next[place] as number;
    const after = next[eaten] as number;
    symbols[place] = this.#merged[rank] as number;
    symbols[eaten] = GONE;
    next[place] = after;
    if (after !== GONE) previous[after] = place;
    const before = previous[place] as number;
    if (before !== GONE) changed.push(before);
    changed.push(place);
  }

  #idsOf({ symbols }: Chain): number[] {
    const ids: number[] = [];
    for (const symbol of symbols) if (symbol !== GONE) ids.push(this.#ids[symbol] as number);
    return ids;
  }
}

/** Symbols are far fewer than 2^26, so the key is exact. */
function pairKey(left: number, right: number): number {
  return left * 2 ** 26 + right;
}
