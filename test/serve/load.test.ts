import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('64 clients for 5 seconds: none fails, and the event loop stays free', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['bench/serve-load.mjs', '5', '64', '--json'],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const { statuses, eventLoop, exit } = JSON.parse(stdout);
  // The queue is full for some, who are told to come back; the others get pictures.
  expect(Object.keys(statuses).sort()).toEqual(['200', '429']);
  expect(statuses['200']).toBeGreaterThan(10);
  expect(eventLoop.p99).toBeLessThan(50);
  expect(exit).toBe(0);
});
