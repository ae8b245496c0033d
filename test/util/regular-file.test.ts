import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyUnreadable } from '../../lib/util/file-errors.js';
import { readRegularFile, withRegularFile } from '../../lib/util/regular-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const file = join(folder, 'file');
writeFileSync(file, 'contents');

const reason = (path: string, maxBytes = 100) =>
  readRegularFile(path, { maxBytes }).then(() => 'none', whyUnreadable);

test('reads a file, also through a link', async () => {
  symlinkSync(file, join(folder, 'link'));
  expect(String(await readRegularFile(join(folder, 'link'), { maxBytes: 8 }))).toBe('contents');
});

test('refuses a file that is too large', async () => {
  expect(await reason(file, 7)).toBe('it has 8 bytes; the limit is 7');
});

test('refuses a folder', async () => {
  mkdirSync(join(folder, 'folder'));
  expect(await reason(join(folder, 'folder'))).toBe('it is a folder');
});

test.skipIf(process.platform === 'win32')('refuses pipes and devices without waiting', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  symlinkSync('/dev/zero', join(folder, 'zero'));
  for (const name of ['pipe', 'zero'])
    expect(await reason(join(folder, name))).toBe('it is a pipe or a device');
});

test('an abort rejects at once, also while a read does not return', async () => {
  const controller = new AbortController();
  const stuck = withRegularFile(file, () => new Promise(() => {}), controller.signal);
  controller.abort(new Error('stopped'));
  await expect(stuck).rejects.toThrow('stopped');
  const settings = { maxBytes: 8, signal: controller.signal };
  await expect(readRegularFile(file, settings)).rejects.toThrow('stopped');
});

test('returns what is left of a file that was truncated after it was opened', async () => {
  const path = join(folder, 'truncated');
  writeFileSync(path, 'contents');
  const read = withRegularFile(path, ({ size, read }) => {
    truncateSync(path, 3);
    return read(0, size);
  });
  expect(String(await read)).toBe('con');
});
