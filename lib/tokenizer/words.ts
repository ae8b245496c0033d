import { DROPPED_GAPS } from './unicode-14.js';

const DROPPED = new RegExp(`[${ranges(DROPPED_GAPS)}]`, 'gu');

/** Ideographs that stand as words of their own: the eight blocks of BERT's basic tokenizer. */
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/**
 * Where a word of CLIP's pattern begins: a special token, a contraction, a run of letters (group 1),
 * one digit, or a run of anything else but space (group 2). Spelled out instead of flagged `i`, which
 * would take U+0345 for a letter: the yardstick's expression drops it. The long s folds to s there.
 */
const START =
  /<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|(\p{L})|\p{N}|((?!\u0345)[^\s\p{L}\p{N}])/gu;
const AFTER_LETTERS = /\P{L}/gu;
const AFTER_OTHERS = /[\u0345\s\p{L}\p{N}]/gu;

/**
 * Text as the Hugging Face tokenizer reads it where ftfy is not installed: control characters
 * dropped, ideographs set apart, composed (NFC), lower case. Accents and punctuation stay.
 */
export function basicText(text: string): string {
  return text.replace(DROPPED, '').replace(IDEOGRAPH, ' $& ').normalize('NFC').toLowerCase();
}

/**
 * Cuts lower-case text into the words that byte pairs are merged within. A run's end is searched for,
 * not matched greedily: greedy loops over millions of characters exhaust the engine's stack.
 */
export function* words(text: string): Generator<string, void, undefined> {
  let at = 0;
  while (true) {
    START.lastIndex = at;
    const found = START.exec(text);
    if (found === null) return;
    at = endOf(found, text);
    yield text.slice(found.index, at);
  }
}

function endOf(found: RegExpExecArray, text: string): number {
  const first = found.index + found[0].length;
  if (found[1] !== undefined) return firstMatch(AFTER_LETTERS, text, first);
  if (found[2] !== undefined) return firstMatch(AFTER_OTHERS, text, first);
  return first;
}

function firstMatch(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** The inside of a character class, from the gaps between the edges of its ranges. */
function ranges(gaps: string): string {
  let at = 0;
  const edges = gaps.split(' ').map((gap) => {
    at += Number.parseInt(gap, 36);
    return at;
  });
  const point = (code: number) => `\\u{${code.toString(16)}}`;
  return edges.map((edge, i) => (i % 2 === 0 ? point(edge) : `-${point(edge - 1)}`)).join('');
}
