import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, describe, expect, test } from 'vitest';
import { FolderResults } from '../../lib/serve/results/folder.js';
import { MemoryResults, type ResultStore, resultName } from '../../lib/serve/results/results.js';
import { S3Results } from '../../lib/serve/results/s3.js';
import { temporaryFolder } from '../fixtures/temporary.js';

const id = 'A'.repeat(22);
const name = resultName(id, 0, 'png');
const other = resultName(id, 1, 'png');

/** What every store must do. */
async function behaves(store: ResultStore) {
  expect(await store.get(name)).toBeUndefined();
  await store.put(name, Buffer.from('picture'));
  expect((await store.get(name))?.toString()).toBe('picture');
  await Promise.all([store.put(other, Buffer.from('b')), store.put(other, Buffer.from('b'))]);
  expect((await store.get(other))?.toString()).toBe('b');
}

test('memory: the first stays, the oldest go, and all go in time', async () => {
  const store = new MemoryResults({ seconds: 0.2, capacity: 10 });
  await behaves(store);
  await store.put(name, Buffer.from('another'));
  expect((await store.get(name))?.toString()).toBe('picture');
  await store.put(resultName(id, 2, 'png'), Buffer.from('third'));
  expect(await store.get(name)).toBeUndefined();
  expect(await store.get(other)).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(await store.get(other)).toBeUndefined();
  await expect(store.put(name, Buffer.alloc(11))).rejects.toMatchObject({ status: 500 });
});

test('a folder: whole files, the first stays, old ones go, others stay', async () => {
  const folder = temporaryFolder();
  const store = new FolderResults(folder, 60);
  await behaves(store);
  await store.put(name, Buffer.from('another'));
  expect((await store.get(name))?.toString()).toBe('picture');
  writeFileSync(join(folder, 'mine.txt'), '');
  for (const file of [name, 'mine.txt']) utimesSync(join(folder, file), 0, 0);
  expect(await store.get(name)).toBeUndefined();
  await store.sweep();
  expect(readdirSync(folder).sort()).toEqual([other, 'mine.txt'].sort());
  await store.close();
});

describe('S3', async () => {
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: temporaryFolder(),
    configureBuckets: [{ name: 'pictures', configs: [] }],
  });
  const { port } = await server.run();
  afterAll(() => server.close());
  const environment = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  };
  const address = 's3://pictures/some/prefix/';

  test('behaves as the others do', async () => {
    await behaves(new S3Results({ address, seconds: 60, environment }));
    const old = new S3Results({ address, seconds: -10, environment });
    expect(await old.get(name)).toBeUndefined();
  });

  test('says what is refused, and what is missing', async () => {
    const nowhere = new S3Results({ address: 's3://nowhere', seconds: 60, environment });
    await expect(nowhere.put(name, Buffer.from('x'))).rejects.toThrow(/PUT with status 404/);
    expect(() => new S3Results({ address, seconds: 60, environment: {} })).toThrow(
      expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }),
    );
  });
});
