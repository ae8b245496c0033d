import { beforeEach, expect, test } from 'vitest';
import { BatchQueue, type BatchRequest } from '../../lib/pipeline/batch-queue.js';

interface Item extends BatchRequest {
  name: string;
}

const batches: string[][] = [];
const queue = new BatchQueue<Item, string>(async (requests) => {
  batches.push(requests.map(({ name }) => name));
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (requests.some(({ name }) => name === 'wrong')) throw new Error('failed');
  return requests.map(({ name }) => name.toUpperCase());
});
const add = (name: string, size = 1, key = 'k', signal = new AbortController().signal) =>
  queue.add({ name, size, key, capacity: 4, completes: key === 'last', signal });

beforeEach(() => {
  batches.length = 0;
});

test('fills batches in the order of arrival', async () => {
  const all = [add('a', 2), add('b', 3), add('c', 1, 'other'), add('d', 2), add('e', 1)];
  expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(batches).toEqual([['a', 'd'], ['b', 'e'], ['c']]);
});

test('completes what has begun before it begins something else', async () => {
  const both = add('a', 4).then(() => add('a again', 4, 'last'));
  await Promise.all([both, add('b', 4), add('c', 4)]);
  expect(batches).toEqual([['a'], ['a again'], ['b'], ['c']]);
});

test('waits until a batch that completes work is full, or nothing else is left', async () => {
  const begun = ['a', 'b', 'c'].map((name) =>
    add(name, 4).then(() => add(`${name} again`, 2, 'last')),
  );
  await Promise.all(begun);
  expect(batches).toEqual([['a'], ['b'], ['a again', 'b again'], ['c'], ['c again']]);
});

test('a failed batch rejects only its own requests', async () => {
  const all = await Promise.allSettled([add('wrong'), add('a'), add('b', 4)]);
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});

test('a request that aborts while it waits never runs', async () => {
  const controller = new AbortController();
  const first = add('a', 4);
  const gone = add('b', 4, 'k', controller.signal);
  controller.abort(new Error('no more'));
  await expect(gone).rejects.toThrow('no more');
  await first;
  await queue.idle();
  expect(batches).toEqual([['a']]);
  await expect(add('c', 1, 'k', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

test('a batch with room waits for expected work', async () => {
  const later = queue
    .expect(new Promise((resolve) => setTimeout(resolve, 20)))
    .then(() => add('b'));
  await Promise.all([add('a'), later]);
  expect(batches).toEqual([['a', 'b']]);
});

test('a full batch does not wait for expected work', async () => {
  const image = new Promise((resolve) => setTimeout(resolve, 200));
  const later = queue.expect(image).then(() => add('b', 4));
  await add('a', 4);
  expect(batches).toEqual([['a']]);
  await later;
});
