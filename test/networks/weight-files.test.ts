import {
  appendFileSync,
  linkSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { WeightFiles } from '../../lib/networks/weight-files.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const [path, other] = [join(folder, 'model.safetensors'), join(folder, 'other')] as const;
let files: WeightFiles;

beforeEach(() => {
  writeFileSync(path, 'weights');
  files = WeightFiles.record([path, path]);
});

test.each<[string, () => void, string]>([
  ['truncated', () => truncateSync(path, 3), 'its size changed from 7 to 3 bytes'],
  ['extended', () => appendFileSync(path, '!'), 'its size changed from 7 to 8 bytes'],
  ['overwritten', () => overwrite(), 'it was written to'],
  ['replaced by another file', () => replace(), 'it was replaced by another file'],
])('a file that was %s is named', async (_, change, received) => {
  files.requireUnchanged();
  change();
  const fix = 'Load the model again';
  await expectCode('ERR_KARLO_MODEL_CORRUPT', () => files.requireUnchanged(), path, received, fix);
});

function overwrite(): void {
  writeFileSync(path, 'WEIGHTS');
  utimesSync(path, 1, 1); // The clock may be coarser than this test is fast.
}

function replace(): void {
  writeFileSync(other, 'weights');
  renameSync(other, path);
}

test('a file may get another hard link, and may be removed', () => {
  linkSync(path, other);
  rmSync(path);
  expect(() => files.requireUnchanged()).not.toThrow();
  rmSync(other);
});
