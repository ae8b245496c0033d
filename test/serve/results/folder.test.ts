import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FolderResults } from '../../../lib/serve/results/folder.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { checkStore, name, other } from './check-store.js';

test('keeps the first file of a name, and deletes expired results but no other files', async () => {
  const folder = temporaryFolder();
  const store = new FolderResults(folder, 60);
  await checkStore(store);
  await store.put(name, Buffer.from('another'));
  expect((await store.get(name))?.toString()).toBe('picture');
  writeFileSync(join(folder, 'mine.txt'), '');
  for (const file of [name, 'mine.txt']) utimesSync(join(folder, file), 0, 0);
  expect(await store.get(name)).toBeUndefined();
  await store.sweep();
  expect(readdirSync(folder).sort()).toEqual([other, 'mine.txt'].sort());
  await store.close();
});
