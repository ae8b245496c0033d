import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ClipTokenizer } from '../../lib/tokenizer/tokenizer.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { clipTokenizerFolder, readFixture, writeCombinedTokenizer } from './fixtures.js';

type Row = [text: string, ids: number[], removed?: string];

const corpus = readFixture('corpus.json.gz') as Row[];
/** Ids; null if they equal the corpus's; or the reason why the two tokenizers differ on a string. */
const kakao = readFixture('kakao.json.gz') as (number[] | null | 'mojibake' | 'newer')[];

const root = temporaryFolder();
const temporaryFolderOf = (name: string) => join(root, name);

const padded = (ids: number[], pad: number) => [...ids, ...Array(77 - ids.length).fill(pad)];
const mask = (ids: number[]) => padded(Array(ids.length).fill(1), 0);

test('the corpus has 2000 strings, more than 80 of them truncated', () => {
  expect(corpus).toHaveLength(2000);
  expect(corpus.filter((row) => row.length === 3).length).toBeGreaterThan(80);
  expect(kakao).toHaveLength(2000);
});

test('2000 strings have the ids, masks and truncated text of the slow tokenizer', async () => {
  const tokenizer = await ClipTokenizer.fromFolder(clipTokenizerFolder);
  const wrong = corpus.flatMap(([text, ids, removed]) => {
    const got = tokenizer.encode(text);
    const want = { ids: padded(ids, 49407), mask: mask(ids), truncated: removed };
    const seen = { ids: [...got.ids], mask: [...got.mask], truncated: got.truncated };
    return JSON.stringify(seen) === JSON.stringify(want) ? [] : [{ text, seen, want }];
  });
  expect(wrong).toEqual([]);
});

test.each(['pairs', 'strings'] as const)(
  '2000 strings have the same ids with tokenizer.json alone, merges as %s',
  async (merges) => {
    const folder = temporaryFolderOf(merges);
    writeCombinedTokenizer(folder, { merges });
    const [tokenizer, separate] = await Promise.all([
      ClipTokenizer.fromFolder(folder),
      ClipTokenizer.fromFolder(clipTokenizerFolder),
    ]);
    const wrong = corpus.filter(
      ([text]) => JSON.stringify(tokenizer.encode(text)) !== JSON.stringify(separate.encode(text)),
    );
    expect(wrong).toEqual([]);
  },
);

test('in the Kakao layout they have the ids of Kakao’s program, padded with 0', async () => {
  const tokenizer = await ClipTokenizer.fromFolder(clipTokenizerFolder, {
    clean: 'kakao',
    pad: 'zero',
  });
  const wrong = corpus.flatMap(([text, same], i) => {
    const original = kakao[i] as (typeof kakao)[number];
    if (typeof original === 'string') return [];
    const ids = original ?? same;
    const got = tokenizer.encode(text);
    const want = { ids: padded(ids, 0), mask: mask(ids) };
    const seen = { ids: [...got.ids], mask: [...got.mask] };
    return JSON.stringify(seen) === JSON.stringify(want) ? [] : [{ text, seen, want }];
  });
  expect(wrong).toEqual([]);
  expect(kakao.filter((entry) => typeof entry === 'string').length).toBeLessThan(60);
});

test('every character within a word has the ids of the slow tokenizer', {
  timeout: 120_000,
}, async () => {
  const tokenizer = await ClipTokenizer.fromFolder(clipTokenizerFolder);
  const blocks = Object.entries(readFixture('codepoints.json') as Record<string, string>);
  expect(blocks).toHaveLength(0x110);
  // Planes 4 to 13 are unassigned, 15 and 16 private use: one block of each kind is enough.
  const alike = /^([4-9a-df]|10).{4}$/;
  const tested = blocks.filter(([start]) => !alike.test(start) || /^[4f]0000$/.test(start));
  const wrong = tested.filter(([start, want]) => digest(tokenizer, start) !== want);
  expect(wrong).toEqual([]);
});

function digest(tokenizer: ClipTokenizer, start: string): string {
  const hash = createHash('sha256');
  const first = Number.parseInt(start, 16);
  for (let code = first; code < first + 0x1000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const { ids } = tokenizer.encode(`x${String.fromCodePoint(code)}y`);
    hash.update(`${ids.subarray(1, ids.indexOf(49407)).join(',')}\n`);
  }
  return hash.digest('hex').slice(0, 8);
}
