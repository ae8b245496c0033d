import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { RedisResults } from '../../../lib/serve/results/redis.js';
import { atEnd } from '../helpers/at-end.js';
import { RedisServer } from '../helpers/processes.js';
import { checkStore, name, third } from './check-store.js';

const { url } = await RedisServer.start();
const redis = new Redis(url);
atEnd(() => redis.disconnect());

test('stores files, and fails with 503 when Redis is full', async () => {
  const store = new RedisResults(redis, (file) => `results:${file}`, 60);
  await checkStore(store);
  expect(await redis.ttl(`results:${name}`)).toBeGreaterThan(0);
  await redis.config('SET', 'maxmemory', 1);
  await expect(store.put(third, Buffer.from('c'))).rejects.toMatchObject({
    status: 503,
    code: 'storage_full',
    retryAfter: 30,
  });
  // A file that is there is not stored again.
  await store.put(name, Buffer.from('picture'));
  expect((await store.get(name))?.toString()).toBe('picture');
});
