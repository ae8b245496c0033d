import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  inversionFileOf,
  prepareFolders,
  targetsOf,
  targetsOfDrafts,
  targetsOfFrames,
} from '../../lib/cli/output-files.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const output = { path: 'out/', format: 'webp', isDraft: false } as const;
const filesOf = (names: string[], seeds = [0]) =>
  targetsOf(names, seeds, output).map(({ file }) => file);

test('files are named after their prompts and seeds', () => {
  expect(filesOf(['A red heart!', '빨간 하트 ❤'], [3, 4])).toEqual([
    'out/a-red-heart-3.webp',
    'out/a-red-heart-4.webp',
    'out/빨간-하트-3.webp',
    'out/빨간-하트-4.webp',
  ]);
  expect(filesOf(['!?', 'हृदय'])).toEqual(['out/picture-0.webp', 'out/हृदय-0.webp']);
  expect(filesOf(['very '.repeat(20)])).toEqual([`out/${'very-'.repeat(10)}0.webp`]);
});

test('drafts have separate names, from which those of their images follow', () => {
  const draft = { path: 'out/', format: 'png', isDraft: true } as const;
  expect(targetsOf(['a heart'], [3], draft)[0]?.file).toBe('out/a-heart-3.draft.png');
  const files = ['a/heart-3.draft.png', 'b/heart-3.draft.png', 'small.png'];
  const drafts = files.map((file) => ({ file, seed: 3 }));
  expect(targetsOfDrafts(drafts, output).map(({ file }) => file)).toEqual([
    'out/heart-3.webp',
    'out/heart-3-2.webp',
    'out/small-finished.webp',
  ]);
});

test('frames are numbered with equally many digits', () => {
  const files = targetsOfFrames('A heart to a star', { count: 100, seed: 3 }, output);
  expect(files[0]).toEqual({ source: 0, seed: 3, file: 'out/a-heart-to-a-star-001.webp' });
  expect(files.at(-1)).toMatchObject({ source: 99, file: 'out/a-heart-to-a-star-100.webp' });
});

test('an inversion is named after its image', () => {
  expect(inversionFileOf('a/heart.png', 'out/')).toBe('out/heart.inversion.json');
  expect(inversionFileOf('a/heart.png', 'other.JSON')).toBe('other.JSON');
  for (const output of ['-', 'other.txt']) {
    expect(() => inversionFileOf('heart.png', output)).toThrow(/for --output but received/);
  }
});

test('names are unique for all prompts', () => {
  const names = ['a heart', 'a heart 2', 'A heart!', 'a heart?', 'a heart 3'];
  expect(filesOf(names)).toEqual([
    'out/a-heart-0.webp',
    'out/a-heart-2-0.webp',
    'out/a-heart-4-0.webp',
    'out/a-heart-5-0.webp',
    'out/a-heart-3-0.webp',
  ]);
});

test('names stay within the 255 bytes that file systems allow', () => {
  const maxSeed = 2 ** 32 - 1;
  for (const name of ['x', '가', '\u{20000}'].map((letter) => letter.repeat(500))) {
    for (const file of filesOf([name, name], [maxSeed])) {
      expect(Buffer.byteLength(file) - 'out/'.length).toBeLessThanOrEqual(255);
    }
  }
});

const writeError = (message: RegExp) =>
  expect.objectContaining({
    code: 'ERR_KARLO_WRITE',
    message: expect.stringMatching(message),
  });

test('folders are created in folders, not in files', () => {
  const folder = temporaryFolder();
  prepareFolders([join(folder, 'a/b/c/x.png'), join(folder, 'a/d/x.png')]);
  expect(['a/b/c', 'a/d'].map((path) => existsSync(join(folder, path)))).toEqual([true, true]);
  writeFileSync(join(folder, 'file'), '');
  for (const path of ['file/x.png', 'file/a/x.png']) {
    expect(() => prepareFolders([join(folder, path)])).toThrow(writeError(/is not a folder/));
  }
});

test.runIf(process.platform === 'linux')('a folder that cannot be created is an error', () => {
  expect(() => prepareFolders(['/proc/none/at/all/x.png'])).toThrow(
    writeError(/the folder \/proc\/none\/at\/all does not exist/),
  );
});
