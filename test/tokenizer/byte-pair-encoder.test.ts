import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BYTE_CHARACTERS,
  BytePairEncoder,
  END_OF_WORD,
  textOf,
} from '../../lib/tokenizer/byte-pair-encoder.js';

type Merges = readonly (readonly [string, string])[];

function bpe(ids: ReadonlyMap<string, number>, merges: Merges, unknown: number): BytePairEncoder {
  const lines = merges.map((pair) => pair.join(' '));
  return new BytePairEncoder(ids, lines, unknown);
}

/** The original loop: find the pair of lowest rank in the whole word, merge it everywhere, repeat. */
function originalLoop(word: string, merges: Merges): string[] {
  const rank = new Map(merges.map((pair, i) => [pair.join(' '), i]));
  let symbols = [...word].map((letter, i) =>
    i === word.length - 1 ? letter + END_OF_WORD : letter,
  );
  while (true) {
    const ranks = symbols
      .slice(1)
      .map((right, i) => rank.get(`${symbols[i]} ${right}`) ?? Infinity);
    const min = Math.min(...ranks);
    if (min === Infinity) return symbols;
    const merged: string[] = [];
    for (let i = 0; i < symbols.length; i++) {
      const pair = `${symbols[i]} ${symbols[i + 1]}`;
      merged.push(rank.get(pair) === min ? `${symbols[i]}${symbols[++i]}` : `${symbols[i]}`);
    }
    symbols = merged;
  }
}

/** A vocabulary of the single letters and the results of all merges, with the tokens in order of id. */
function vocabularyOf(merges: Merges) {
  const letters = [...BYTE_CHARACTERS, ...BYTE_CHARACTERS.map((letter) => letter + END_OF_WORD)];
  const tokens = [...new Set([...letters, ...merges.map((pair) => pair.join(''))])];
  return { tokens, ids: new Map(tokens.map((token, id) => [token, id])) };
}

/**
 * Merges that training would not produce: any symbol with any other, in any order, so that several pairs
 * can merge into one symbol, and a new pair can have a lower rank than the one that created it.
 */
const merges = fc
  .array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 25 })
  .chain((picks) => {
    const inner = ['a', 'b'];
    const pairs = picks.map(([i, j, end]) => {
      const left = inner[i % inner.length] as string;
      const right = inner[j % inner.length] as string;
      if (!end) inner.push(left + right);
      return [left, end ? right + END_OF_WORD : right] as [string, string];
    });
    return fc.shuffledSubarray(pairs, { minLength: 1 });
  });

test('merges like the original loop', () => {
  let merged = 0;
  fc.assert(
    fc.property(
      merges,
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 40 }),
      (pairs, word) => {
        const { tokens, ids } = vocabularyOf(pairs);
        const got = bpe(ids, pairs, -1)
          .encode(word)
          .map((id) => tokens[id]);
        expect(got).toEqual(originalLoop(word, pairs));
        if (got.length < word.length) merged++;
      },
    ),
    { numRuns: 5000 },
  );
  expect(merged).toBeGreaterThan(1500);
});

test('merges all occurrences of a pair before a new pair of lower rank', () => {
  // a+bc creates abc. x+abc has a lower rank, but the second a+bc is merged first.
  const pairs = [
    ['abc', 'abc</w>'],
    ['x', 'abc'],
    ['b', 'c'],
    ['b', 'c</w>'],
    ['a', 'bc'],
    ['a', 'bc</w>'],
  ] as const;
  const { tokens, ids } = vocabularyOf(pairs);
  const got = bpe(ids, pairs, -1)
    .encode('xabcabcabc')
    .map((id) => tokens[id]);
  expect(got).toEqual(originalLoop('xabcabcabc', pairs));
});

test('merges overlapping pairs from left to right', () => {
  const { tokens, ids } = vocabularyOf([['a', 'a']]);
  const got = bpe(ids, [['a', 'a']], -1)
    .encode('aaaaab')
    .map((id) => tokens[id]);
  expect(got).toEqual(['aa', 'aa', 'a', 'b</w>']);
});

test('encodes symbols that are not in the vocabulary as the unknown token', () => {
  expect(bpe(new Map([['a', 5]]), [['b', 'c</w>']], 9).encode('abc')).toEqual([5, 9]);
});

test('encodes an empty word as no tokens', () => {
  expect(bpe(new Map(), [], 0).encode('')).toEqual([]);
});

test('returns the same ids from the cache, and after the cache was cleared', () => {
  const { ids } = vocabularyOf([['a', 'a']]);
  const encoder = bpe(ids, [['a', 'a']], -1);
  const first = encoder.encode('aab');
  for (let i = 0; i < 20_000; i++) encoder.encode(`word${i}`);
  expect(encoder.encode('aab')).toEqual(first);
});

test('bytes map to GPT-2’s characters and back', () => {
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
      expect(textOf(written)).toBe(text.replaceAll(END_OF_WORD, ' ').trim());
    }),
  );
  expect(textOf(['Ã', '©</w>', 'Ã</w>', 'x'])).toBe('é \ufffd x');
});
