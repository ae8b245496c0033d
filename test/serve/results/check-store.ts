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
  for (const wrong of wrongNames) {
    await expect(store.put(wrong, Buffer.from('x'))).rejects.toThrow(
      /Expected the name of a result/,
    );
    expect(await store.get(wrong)).toBeUndefined();
  }
}

const wrongNames = [
  '',
  '..',
  `../${name}`,
  `${name}/..`,
  `${name}\n`,
  `/etc/${name}`,
  resultName('../../../../etc/passwd', 0, 'png'),
  resultName(id, 1e9, 'png'),
  resultName(id, 0, '/../../x' as never),
];
