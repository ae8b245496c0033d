import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RequestTurns } from '../../lib/serve/request-turns.js';

test('lets 8 requests into each turn of the event loop, in their order', async () => {
  const turns = new RequestTurns();
  const started: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < 40; i++) turns.wait().then(() => started.push(i));
  while (started.length < 40) {
    await Promise.resolve();
    await setImmediate();
    counts.push(started.length);
  }
  expect(started).toEqual(Array.from({ length: 40 }, (_, i) => i));
  const steps = counts.map((count, i) => count - (counts[i - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThanOrEqual(16);
  await turns.wait();
});
