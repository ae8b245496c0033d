import { describe, expect, test } from 'vitest';
import { AdmissionQueue } from '../../../lib/serve/queue/admission-queue.js';

/** A queue, the names of the jobs in the order in which they start, and the positions of those that wait. */
function openQueue(concurrency: number, capacity: number) {
  const queue = new AdmissionQueue({ concurrency, capacity });
  const started: string[] = [];
  const positions: Record<string, number[]> = {};
  const enter = (
    name: string,
    { lowPriority = false, signal = new AbortController().signal } = {},
  ) => {
    const own: number[] = [];
    positions[name] = own;
    const entered = queue.enter({ lowPriority, signal }, (position) => own.push(position));
    entered.then(
      () => started.push(name),
      () => {},
    );
    return entered;
  };
  return { queue, started, positions, enter };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('starts jobs up to the concurrency, and the next one as each ends', async () => {
  const { queue, started, enter } = openQueue(2, 2);
  const ends = [await enter('a'), await enter('b')];
  enter('c');
  enter('d');
  await settle();
  expect(started).toEqual(['a', 'b']);
  expect(queue.load).toEqual({ running: 2, waiting: 2 });
  ends[0]?.();
  await settle();
  expect(started).toEqual(['a', 'b', 'c']);
  expect(queue.load).toEqual({ running: 2, waiting: 1 });
});

test('starts normal jobs before low-priority ones, each in order', async () => {
  const { started, enter } = openQueue(1, 9);
  const first = await enter('first');
  const others = [
    enter('low 1', { lowPriority: true }),
    enter('normal 1'),
    enter('low 2', { lowPriority: true }),
    enter('normal 2'),
  ];
  first();
  for (const other of others) other.then((end) => end());
  await Promise.all(others);
  await settle();
  expect(started).toEqual(['first', 'normal 1', 'normal 2', 'low 1', 'low 2']);
});

test('reports the new positions when a job is overtaken, and when one starts', async () => {
  const { positions, enter } = openQueue(1, 9);
  const first = await enter('first');
  enter('low', { lowPriority: true });
  enter('normal');
  expect(positions).toEqual({ first: [], low: [1, 2], normal: [1] });
  first();
  expect(positions.low).toEqual([1, 2, 1]);
});

describe('a full queue', () => {
  test('rejects a job with 429 and the seconds to wait', async () => {
    const { queue, enter } = openQueue(1, 1);
    await enter('running');
    enter('waiting');
    const refusal = expect.objectContaining({ status: 429, code: 'queue_full', retryAfter: 1 });
    expect(() => queue.check()).toThrow(refusal);
    expect(() => enter('third')).toThrow(refusal);
    expect(queue.load).toEqual({ running: 1, waiting: 1 });
  });

  test('without places to wait still accepts jobs that can start at once', async () => {
    const { enter, queue } = openQueue(1, 0);
    const end = await enter('a');
    expect(() => queue.check()).toThrow();
    end();
    await enter('b');
    expect(queue.load).toEqual({ running: 1, waiting: 0 });
  });
});

test('a waiting job leaves the queue when its signal aborts', async () => {
  const { queue, positions, enter } = openQueue(1, 9);
  const first = await enter('first');
  const client = new AbortController();
  const left = enter('left', { signal: client.signal });
  const next = enter('next');
  client.abort(new Error('disconnected'));
  await expect(left).rejects.toThrow('disconnected');
  expect(positions.next).toEqual([2, 1]);
  first();
  await next;
  expect(queue.load).toEqual({ running: 1, waiting: 0 });
});

test('an abort after the start changes nothing', async () => {
  const { queue, enter } = openQueue(1, 9);
  const first = await enter('first');
  const client = new AbortController();
  const second = enter('second', { signal: client.signal });
  enter('third');
  first();
  await second;
  client.abort();
  expect(queue.load).toEqual({ running: 1, waiting: 1 });
});
