import { expect, test, vi } from 'vitest';
import { MemoryResults } from '../../../lib/serve/results/memory.js';
import { checkStore, name, other, third } from './check-store.js';

test('keeps the first file of a name, drops the oldest files and all expired ones', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const store = new MemoryResults({ seconds: 60, capacity: 10 });
  await checkStore(store);
  await store.put(name, Buffer.from('another'));
  expect((await store.get(name))?.toString()).toBe('picture');
  await store.put(third, Buffer.from('third'));
  expect(await store.get(name)).toBeUndefined();
  expect(await store.get(other)).toBeDefined();
  vi.setSystemTime(Date.now() + 60_000);
  expect(await store.get(other)).toBeUndefined();
  await expect(store.put(name, Buffer.alloc(11))).rejects.toMatchObject({ status: 500 });
  vi.useRealTimers();
});
