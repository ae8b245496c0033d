import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findCatch2 } from '../../scripts/build/catch2.mjs';

// `true` and `false` replace a compiler that finds, or does not find, the header.
const cache = join(tmpdir(), 'karlo-no-cache');

test('uses a Catch2 that the compiler finds', async () => {
  const env = { ...process.env, CXX: 'true', KARLO_CACHE: cache, KARLO_OFFLINE: '1' };
  await expect(findCatch2(env)).resolves.toBeUndefined();
});

test('rejects a missing Catch2 offline, with the command that installs it', async () => {
  const env = { ...process.env, CXX: 'false', KARLO_CACHE: cache, KARLO_OFFLINE: '1' };
  await expect(findCatch2(env)).rejects.toThrow(
    /^Expected Catch2 2 .* KARLO_OFFLINE is set\. Install it: apt-get install catch2/,
  );
});
