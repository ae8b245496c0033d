import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BytePairs } from '../../lib/tokenizer/byte-pairs.js';
import { BYTE_CHARACTERS, textOf, WORD_END } from '../../lib/tokenizer/bytes.js';

type Merges = readonly (readonly [string, string])[];

function bytePairs(ids: ReadonlyMap<string, number>, merges: Merges, unknown: number): BytePairs {
  const lines = merges.map((pair) => pair.join(' '));
  return new BytePairs(ids, lines, unknown);
}

/** The textbook's loop: find the lowest pair of the whole word, join it everywhere, begin again. */
function textbook(word: string, merges: Merges): string[] {
  const rank = new Map(merges.map((pair, i) => [pair.join(' '), i]));
  let pieces = [...word].map((letter, i) => (i === word.length - 1 ? letter + WORD_END : letter));
  while (true) {
    const ranks = pieces.slice(1).map((right, i) => rank.get(`${pieces[i]} ${right}`) ?? Infinity);
    const least = Math.min(...ranks);
    if (least === Infinity) return pieces;
    const joined: string[] = [];
    for (let i = 0; i < pieces.length; i++) {
      const pair = `${pieces[i]} ${pieces[i + 1]}`;
      joined.push(rank.get(pair) === least ? `${pieces[i]}${pieces[++i]}` : `${pieces[i]}`);
    }
    pieces = joined;
  }
}

/** A vocabulary of single letters and of all that merges make, with the pieces in order of their id. */
function vocabularyOf(merges: Merges) {
  const letters = [...BYTE_CHARACTERS, ...BYTE_CHARACTERS.map((letter) => letter + WORD_END)];
  const pieces = [...new Set([...letters, ...merges.map((pair) => pair.join(''))])];
  return { pieces, ids: new Map(pieces.map((piece, id) => [piece, id])) };
}

/**
 * Merges as no training would give them: any piece with any other, in any order, so that one piece has
 * several origins and a new pair may rank below the one that made it.
 */
const merges = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 25 })
  .chain((picks) => {
    const inner = ['a', 'b'];
    const pairs = picks.map(([i, j, end]) => {
      const left = inner[i % inner.length] as string;
      const right = inner[j % inner.length] as string;
      if (!end) inner.push(left + right);
      return [left, end ? right + WORD_END : right] as [string, string];
    });
    return fc.shuffledSubarray(pairs, { minLength: 1 });
  });

test('the heap merges as the textbook’s loop does', () => {
  let merged = 0;
  fc.assert(
    fc.property(
      merges,
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 40 }),
      (pairs, word) => {
        const { pieces, ids } = vocabularyOf(pairs);
        const got = bytePairs(ids, pairs, -1)
          .encode(word)
          .map((id) => pieces[id]);
        expect(got).toEqual(textbook(word, pairs));
        if (got.length < word.length) merged++;
      },
    ),
    { numRuns: 5000 },
  );
  expect(merged).toBeGreaterThan(1500);
});

test('a pair that a merge makes waits for its round, though it rank lower', () => {
  // a+bc makes abc, which x would join at once, were the second a+bc not first.
  const pairs = [
    ['abc', 'abc</w>'],
    ['x', 'abc'],
    ['b', 'c'],
    ['b', 'c</w>'],
    ['a', 'bc'],
    ['a', 'bc</w>'],
  ] as const;
  const { pieces, ids } = vocabularyOf(pairs);
  const got = bytePairs(ids, pairs, -1)
    .encode('xabcabcabc')
    .map((id) => pieces[id]);
  expect(got).toEqual(textbook('xabcabcabc', pairs));
});

test('overlapping pairs join from the left', () => {
  const { pieces, ids } = vocabularyOf([['a', 'a']]);
  const got = bytePairs(ids, [['a', 'a']], -1)
    .encode('aaaaab')
    .map((id) => pieces[id]);
  expect(got).toEqual(['aa', 'aa', 'a', 'b</w>']);
});

test('pieces that the vocabulary lacks are the unknown token', () => {
  expect(bytePairs(new Map([['a', 5]]), [['b', 'c</w>']], 9).encode('abc')).toEqual([5, 9]);
});

test('an empty word has no tokens', () => {
  expect(bytePairs(new Map(), [], 0).encode('')).toEqual([]);
});

test('the cache changes nothing, also when it is full', () => {
  const { ids } = vocabularyOf([['a', 'a']]);
  const pairs = bytePairs(ids, [['a', 'a']], -1);
  const first = pairs.encode('aab');
  for (let i = 0; i < 20_000; i++) pairs.encode(`word${i}`);
  expect(pairs.encode('aab')).toEqual(first);
});

test('bytes are written as GPT-2 writes them, and read back', () => {
  expect(new Set(BYTE_CHARACTERS).size).toBe(256);
  expect([0, 32, 33, 126, 127, 160, 161, 173, 174, 255].map((b) => BYTE_CHARACTERS[b])).toEqual([
    'Ā',
    'Ġ',
    '!',
    '~',
    'ġ',
    'ł',
    '¡',
    'Ń',
    '®',
    'ÿ',
  ]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const written = [...new TextEncoder().encode(text)].map(
        (byte) => BYTE_CHARACTERS[byte] as string,
      );
      expect(textOf(written)).toBe(text.replaceAll(WORD_END, ' ').trim());
    }),
  );
  expect(textOf(['Ã', '©</w>', 'Ã</w>', 'x'])).toBe('é \ufffd x');
});
