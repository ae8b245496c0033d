import { expect, test } from 'vitest';
import { MemoryResults } from '../../../lib/serve/results/memory.js';
import { checkStore, name, other, third } from './check-store.js';

test('keeps the first file of a name, drops the oldest files and all expired ones', async () => {
  const store = new MemoryResults({ seconds: 0.2, capacity: 10 });
  await checkStore(store);
  await store.put(name, Buffer.from('another'));
  expect((await store.get(name))?.toString()).toBe('picture');
  await store.put(third, Buffer.from('third'));
  expect(await store.get(name)).toBeUndefined();
  expect(await store.get(other)).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(await store.get(other)).toBeUndefined();
  await expect(store.put(name, Buffer.alloc(11))).rejects.toMatchObject({ status: 500 });
});
