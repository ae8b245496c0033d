import { expect, test } from 'vitest';
import { EventQueue } from '../../lib/util/event-queue.js';

interface Event {
  kind: 'step' | 'image';
  n: number;
}

const step = (n: number): Event => ({ kind: 'step', n });
const image = (n: number): Event => ({ kind: 'image', n });

/** A queue in which a step replaces a pending step. */
const open = () =>
  new EventQueue<Event>((event, previous) => event.kind === 'step' && previous.kind === 'step');

async function read(queue: EventQueue<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of queue) events.push(event);
  return events;
}

test('a slow reader receives the newest of successive steps, and every image, in order', async () => {
  const queue = open();
  for (const event of [step(1), step(2), image(1), step(3), step(4), image(2)]) queue.push(event);
  queue.end();
  expect(await read(queue)).toEqual([step(2), image(1), step(4), image(2)]);
});

test('a waiting reader receives each event when it is pushed', async () => {
  const queue = open();
  const events = queue[Symbol.asyncIterator]();
  for (const event of [step(1), step(2), step(3)]) {
    const next = events.next();
    queue.push(event);
    expect(await next).toEqual({ done: false, value: event });
  }
});

test('the end reaches every waiting reader', async () => {
  const queue = open();
  const readers = [read(queue), read(queue)];
  queue.end();
  expect(await Promise.all(readers)).toEqual([[], []]);
});

test('several readers share the events', async () => {
  const queue = open();
  const readers = [read(queue), read(queue)];
  for (const n of [1, 2, 3, 4]) queue.push(image(n));
  queue.end();
  const received = (await Promise.all(readers)).flat();
  expect(received.map(({ n }) => n).sort()).toEqual([1, 2, 3, 4]);
});

test('an error is thrown after the pending events', async () => {
  const queue = open();
  queue.push(image(1));
  queue.end({ error: new Error('out of memory') });
  const events = queue[Symbol.asyncIterator]();
  expect((await events.next()).value).toEqual(image(1));
  await expect(events.next()).rejects.toThrow('out of memory');
});

test('the first end counts, and later events are dropped', async () => {
  const queue = open();
  expect(queue.ended).toBe(false);
  queue.end();
  queue.end({ error: new Error('too late') });
  queue.push(image(1));
  expect(queue.ended).toBe(true);
  expect(await read(queue)).toEqual([]);
});
