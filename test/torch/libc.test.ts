import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { requireGlibc } from '../../lib/torch/libc.js';
import { root } from '../../scripts/build/ready.mjs';

test('accepts glibc, and systems other than Linux', () => {
  expect(() => requireGlibc(['/lib/x86_64-linux-gnu/libc.so.6'])).not.toThrow();
  expect(() => requireGlibc([])).not.toThrow();
  expect(() => requireGlibc()).not.toThrow();
});

test('rejects musl, and names the image to use', () => {
  expect(() => requireGlibc(['/lib/ld-musl-x86_64.so.1'])).toThrow(
    expect.objectContaining({
      code: 'ERR_KARLO_ADDON_MISSING',
      message: expect.stringMatching(/glibc.*but this Node\.js uses musl[\s\S]*node:22-slim/),
    }),
  );
});

// CONTRIBUTING.md says how to get one.
const muslNode = process.env.KARLO_TEST_MUSL_NODE ?? '';

describe.runIf(muslNode)('a Node.js for musl', () => {
  const main = join(root, 'dist/lib/cli/main.js');
  const run = (args: string[]) => promisify(execFile)(muslNode, args);

  test.each([['a red heart'], ['info'], ['serve'], ['setup']])(
    'answers karlo "%s" within 0.1 s of processor time',
    async (argument) => {
      const usage = `process.on('exit', () => { const { user, system } = process.cpuUsage(); console.log(user + system); });`;
      const preload = `--import=data:text/javascript,${encodeURIComponent(usage)}`;
      const idle = Number((await run([preload, '-e', '0'])).stdout);
      const failure = await run([preload, main, argument]).catch((error) => error);
      expect(failure.code).toBe(1);
      expect(failure.stderr).toContain('this Node.js uses musl');
      expect(Number(failure.stdout) - idle).toBeLessThan(100_000);
    },
  );

  test('can pull models, which needs no LibTorch', async () => {
    expect((await run([main, 'models'])).stdout).toContain('Built in: karlo-tiny');
  });
});
