import { expect } from 'vitest';
import { type ResultStore, resultName } from '../../../lib/serve/results/store.js';

const id = 'A'.repeat(22);
export const name = resultName(id, 0, 'png');
export const other = resultName(id, 1, 'png');
export const third = resultName(id, 2, 'png');

/** Checks what every store must do. */
export async function checkStore(store: ResultStore): Promise<void> {
  expect(await store.get(name)).toBeUndefined();
  await store.put(name, Buffer.from('picture'));
  expect((await store.get(name))?.toString()).toBe('picture');
  await Promise.all([store.put(other, Buffer.from('b')), store.put(other, Buffer.from('b'))]);
  expect((await store.get(other))?.toString()).toBe('b');
}
