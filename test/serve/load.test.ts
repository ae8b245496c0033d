import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('serves 64 clients for 5 seconds without failures and without blocking the event loop', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['bench/serve-load.mjs', '5', '64', '--json'],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const { statuses, eventLoop, exit } = JSON.parse(stdout);
  // 429 while the queue is full.
  expect(Object.keys(statuses).sort()).toEqual(['200', '429']);
  expect(statuses['200']).toBeGreaterThan(10);
  expect(eventLoop.p99).toBeLessThan(50);
  expect(exit).toBe(0);
});
