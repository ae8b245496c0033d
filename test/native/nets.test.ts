import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// The tests of native/nets and native/export in C++: each prints a line a check and ends with 0.
test.each(['block_test', 'kernels_test', 'nets_test'])('%s', async (name) => {
  const program = fileURLToPath(new URL(`../../build/test/${name}`, import.meta.url));
  const { stdout } = await promisify(execFile)(program);
  expect(stdout).not.toMatch(/FAIL/i);
  expect(stdout.split('\n').length).toBeGreaterThan(3);
});
