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

/** A word in the making: a linked list of pieces over arrays. A merged-away place has none. */
interface Chain {
  readonly pieces: (string | undefined)[];
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
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #cache = new Map<string, readonly number[]>();

  /**
   * @param vocabulary id of each piece
   * @param merges pairs of pieces, a space between them, the first to merge first
   * @param unknown the id of a piece that the vocabulary lacks
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

  #merge(word: string): number[] {
    const chain = chainOf(word);
    const heap = new MinHeap();
    for (let place = 0; place < chain.pieces.length; place++) this.#queue(chain, place, heap);
    const changed: number[] = [];
    while (heap.least !== Number.POSITIVE_INFINITY) {
      const key = heap.pop();
      const rank = Math.floor(key / PLACES);
      const place = key % PLACES;
      if (this.#rankAt(chain, place) === rank) join(chain, place, changed);
      if (heap.least < (rank + 1) * PLACES) continue;
      for (const touched of changed) this.#queue(chain, touched, heap);
      changed.length = 0;
    }
    return this.#idsOf(chain);
  }

  /** Rank of the pair that begins at a place; undefined without one. */
  #rankAt({ pieces, next }: Chain, place: number): number | undefined {
    const left = pieces[place];
    const right = pieces[next[place] as number];
    if (left === undefined || right === undefined) return undefined;
    return this.#ranks.get(`${left} ${right}`);
  }

  #queue(chain: Chain, place: number, heap: MinHeap): void {
    const rank = this.#rankAt(chain, place);
    if (rank !== undefined) heap.push(rank * PLACES + place);
  }

  #idsOf({ pieces }: Chain): number[] {
    const left = pieces.filter((piece) => piece !== undefined);
    return left.map((piece) => this.vocabulary.get(piece) ?? this.unknown);
  }
}

function chainOf(word: string): Chain {
  const bytes = utf8.encode(word);
  const pieces = Array.from(bytes, (byte) => BYTE_CHARACTERS[byte] as string);
  const last = bytes.length - 1;
  if (last >= 0) pieces[last] += WORD_END;
  return {
    pieces,
    next: Int32Array.from(bytes, (_, i) => (i === last ? GONE : i + 1)),
    previous: Int32Array.from(bytes, (_, i) => i - 1),
  };
}

/** Joins the piece at a place and the next one, and notes the places whose pairs that changes. */
function join({ pieces, next, previous }: Chain, place: number, changed: number[]): void {
  const eaten = next[place] as number;
  const after = next[eaten] as number;
  pieces[place] = `${pieces[place]}${pieces[eaten]}`;
  pieces[eaten] = undefined;
  next[place] = after;
  if (after !== GONE) previous[after] = place;
  const before = previous[place] as number;
  if (before !== GONE) changed.push(before);
  changed.push(place);
}
