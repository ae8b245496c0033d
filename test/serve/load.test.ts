import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test.each([
  [64, 5],
  [256, 10],
])('serves %i clients for %i seconds without failures', (clients, seconds) => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['bench/serve-load.mjs', `${seconds}`, `${clients}`, '--json'],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const { statuses, exit } = JSON.parse(stdout);
  // 429 while the queue is full.
  expect(Object.keys(statuses).sort()).toEqual(['200', '429']);
  expect(statuses['200']).toBeGreaterThan(10);
  expect(exit).toBe(0);
});
