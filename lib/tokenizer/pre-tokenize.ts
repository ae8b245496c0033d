import { DROPPED_GAPS } from './unicode-14.js';

const DROPPED = new RegExp(`[${characterRanges(DROPPED_GAPS)}]`, 'gu');

/** Ideographs that are separate words: the eight blocks of BERT's basic tokenizer. */
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/**
 * The start of a word in CLIP's pattern: a special token, a contraction, a run of letters (group 1), one
 * digit, or a run of anything else but white space (group 2). Written without the flag `i`, with which
 * \p{L} would match U+0345; the reference's pattern skips that character. It ignores case, so that its s
 * also matches ſ (long s).
 */
const START =
  /<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|(\p{L})|\p{N}|((?!\u0345)[^\s\p{L}\p{N}])/gu;
const AFTER_LETTERS = /\P{L}/gu;
const AFTER_OTHERS = /[\u0345\s\p{L}\p{N}]/gu;

/**
 * Normalises text as the Hugging Face tokenizer does without ftfy: removes control characters, puts spaces
 * around ideographs, composes characters (NFC), and converts to lower case. Accents and punctuation stay.
 */
export function normalizeText(text: string): string {
  return text.replace(DROPPED, '').replace(IDEOGRAPH, ' $& ').normalize('NFC').toLowerCase();
}

/**
 * Splits lower-case text into words; byte pairs are merged only within a word. The end of a run is
 * searched for instead of matched greedily, because a greedy match over millions of characters overflows
 * the regular expression engine's stack.
 */
export function* splitWords(text: string): Generator<string, void, undefined> {
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

/** The inside of a character class, from the differences between successive range edges. */
function characterRanges(gaps: string): string {
  let at = 0;
  const edges = gaps.split(' ').map((gap) => {
    at += Number.parseInt(gap, 36);
    return at;
  });
  const point = (code: number) => `\\u{${code.toString(16)}}`;
  return edges.map((edge, i) => (i % 2 === 0 ? point(edge) : `-${point(edge - 1)}`)).join('');
}
