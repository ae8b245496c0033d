import { expect, test } from 'vitest';
import { targetsOf } from '../../lib/cli/files.js';

const output = { path: 'out/', format: 'webp' } as const;
const filesOf = (names: string[], seeds = [0]) =>
  targetsOf(names, seeds, output).map(({ file }) => file);

test('pictures are named after their prompts and seeds', () => {
  expect(filesOf(['A red heart!', '빨간 하트 ❤'], [3, 4])).toEqual([
    'out/a-red-heart-3.webp',
    'out/a-red-heart-4.webp',
    'out/빨간-하트-3.webp',
    'out/빨간-하트-4.webp',
  ]);
  expect(filesOf(['!?'])).toEqual(['out/picture-0.webp']);
});

test('no two names are the same, whatever the prompts are', () => {
  const names = ['a heart', 'a heart 2', 'A heart!', 'a heart?', 'a heart 3'];
  expect(filesOf(names)).toEqual([
    'out/a-heart-0.webp',
    'out/a-heart-2-0.webp',
    'out/a-heart-4-0.webp',
    'out/a-heart-5-0.webp',
    'out/a-heart-3-0.webp',
  ]);
});

test('a name fits into the 255 bytes that file systems allow', () => {
  const most = 2 ** 32 - 1;
  for (const name of ['x', '가', '\u{20000}'].map((letter) => letter.repeat(500))) {
    for (const file of filesOf([name, name], [most])) {
      expect(Buffer.byteLength(file) - 'out/'.length).toBeLessThanOrEqual(255);
    }
  }
});
