import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { version } from '../../lib/torch/index.js';
import { temporaryFolder } from '../fixtures/temporary.js';

// LibTorch may lie in the cache folder: it is opened before the tests have one of their own.
const measured = version().cpuCapability === 'AVX512';
let file: string;
beforeEach(() => {
  const folder = temporaryFolder();
  vi.stubEnv('KARLO_CACHE', folder);
  file = join(folder, 'dtypes.json');
});
afterEach(() => vi.unstubAllEnvs());

async function chosen(): Promise<string> {
  await using karlo = await Karlo.load({ device: 'cpu' });
  return karlo.dtype;
}

const known = (): Record<string, string> => JSON.parse(readFileSync(file, 'utf8'));

describe.runIf(measured)("the dtype 'auto' on a CPU with AVX-512", () => {
  test('is measured once and then remembered', async () => {
    const first = await chosen();
    const [[key, dtype]] = Object.entries(known()) as [[string, string]];
    expect(dtype).toBe(first);
    const other = first === 'float32' ? 'bfloat16' : 'float32';
    writeFileSync(file, JSON.stringify({ [key]: other, 'another machine': 'float32' }));
    expect(await chosen()).toBe(other);
    expect(Object.keys(known())).toHaveLength(2);
  });

  test.each(['{', '[]', 'null', '{"a": 1}'])(
    'is measured where the file holds %s',
    async (text) => {
      writeFileSync(file, text);
      expect(['float32', 'bfloat16']).toContain(await chosen());
      expect(Object.values(known())).toHaveLength(1);
    },
  );
});

test.runIf(!measured)("the dtype 'auto' is float32 on a CPU without AVX-512", async () => {
  expect(await chosen()).toBe('float32');
});
