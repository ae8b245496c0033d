import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { safetensors, tensor } from '../fixtures/safetensors.js';
import { zip } from '../fixtures/torch-writer.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Most bytes that a reader may take per byte of the file, and what Node itself takes. */
const mostForOne = 4;
const ofNode = 64e6;

const folder = temporaryFolder();

/** The outcome of reading `bytes` in a separate process, whose memory has to stay within bounds. */
async function outcome(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'hostile');
  writeFileSync(path, bytes);
  const { stdout, stderr, status } = await runProgram('test/weights/read.mjs', [path]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const read: { outcome: string; growth: number } = JSON.parse(stdout);
  expect(read.growth).toBeLessThan(mostForOne * statSync(path).size + ofNode);
  return read.outcome;
}

describe('a header of 100 MB takes memory in proportion to its size', () => {
  const one = `"a":${JSON.stringify(tensor('F32', [4], 0, 16))}`;
  const large = 99_999_000;
  const repeat = (count: number, item: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => item(index)).join();

  it.each<[string, () => string, RegExp]>([
    ['one text', () => `{"__metadata__":{"a":"${'x'.repeat(large - 100)}"},${one}}`, /^1 tensors/],
    [
      'many texts',
      () => `{"__metadata__":{${repeat(130_000, (i) => `"${i}":"${'x'.repeat(750)}"`)}},${one}}`,
      /^1 tensors/,
    ],
    ['white space', () => `{${' '.repeat(large - 100)}${one}}`, /^1 tensors/],
    ['one name', () => `{"${'x'.repeat(large - 100)}":${one.slice(4)}}`, /512 characters/],
    ['one number', () => `{"a":{"shape":[${'1'.repeat(large - 100)}]}}`, /an integer/],
    ['one list', () => `{"a":{"shape":[${'1,'.repeat(large / 2 - 100)}1]}}`, /at most 8 numbers/],
    ['open lists', () => `{"a":${'['.repeat(large - 100)}`, /CORRUPT/],
  ])('%s', async (_, header, expected) => {
    expect(await outcome(safetensors(header(), 16))).toMatch(expected);
  });
});

describe('a pickle of 32 MB takes memory in proportion to its size', () => {
  const size = 32e6;
  const fill = (text: string) => text.repeat(size / text.length);

  it.each<[string, () => string, RegExp]>([
    ['a list built item by item', () => `]${fill('Na')}`, /pickled values/],
    [
      'a list built many items at once',
      () => `]${fill(`(${'N'.repeat(100_000)}e`)}`,
      /pickled values/,
    ],
    ['lists that are dropped', () => fill(`(${'N'.repeat(100_000)}l0`), /pickled values/],
    ['a repeated value', () => `](N${fill('2')}e`, /pickled values/],
    ['a repeated entry of the memo', () => `]q\x00(${fill('h\x00')}e`, /pickled values/],
    ['long integers', () => `]${fill(`\x8a\x09${'\x01'.repeat(9)}a`)}`, /pickled values/],
    ['empty strings', () => `]${fill('U\x00a')}`, /pickled objects/],
    ['an endless memo', () => `N${fill('\x94')}`, /pickled memo entries/],
    ['open marks', () => fill('('), /nesting/],
    ['objects', () => `c__torch__\nA\nq\x00${fill('h\x00)\x810')}`, /pickled objects/],
  ])('%s', async (_, body, expected) => {
    const pickle = Buffer.from(`\x80\x02${body()}.`, 'latin1');
    expect(await outcome(await zip([['m/data.pkl', pickle]]))).toMatch(expected);
  });
});

it('a zip file of 30 kB that would be 30 MB is not inflated', async () => {
  const bomb = await zip([['m/data.pkl', Buffer.alloc(30e6)]], { compress: true });
  expect(bomb.length).toBeLessThan(100e3);
  expect(await outcome(bomb)).toMatch(/stored \(uncompressed\) record for m\/data\.pkl/);
});
