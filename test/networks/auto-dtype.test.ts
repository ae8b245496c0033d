import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import { fasterDtype } from '../../lib/networks/auto-dtype.js';
import { Engine, version } from '../../lib/torch/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// LibTorch may be in the cache folder: it is opened before the tests replace that folder.
const measured = version().cpuCapability === 'AVX512';
let file: string;
beforeEach(() => {
  const folder = temporaryFolder();
  vi.stubEnv('KARLO_CACHE', folder);
  file = join(folder, 'dtypes.json');
});
afterEach(() => vi.unstubAllEnvs());

let tiny: Model;
beforeAll(async () => {
  tiny = await openModel(fileURLToPath(new URL('../../models/karlo-tiny', import.meta.url)));
});

/** The dtype for a model whose super-resolution has this many channels at its first level. */
async function chosen(width: number): Promise<string> {
  const super_res_first = { ...tiny.configs.super_res_first, block_out_channels: [width] };
  await using engine = new Engine({ threads: 2 });
  return await fasterDtype(super_res_first as never, engine, 2);
}

const known = (): Record<string, string> => JSON.parse(readFileSync(file, 'utf8'));

describe.runIf(measured)("the dtype 'auto' on a CPU with AVX-512", () => {
  test('is measured once and cached', async () => {
    const first = await chosen(128);
    const [[key, dtype]] = Object.entries(known()) as [[string, string]];
    expect(dtype).toBe(first);
    const other = first === 'float32' ? 'bfloat16' : 'float32';
    writeFileSync(file, JSON.stringify({ [key]: other, 'another machine': 'float32' }));
    expect(await chosen(128)).toBe(other);
    expect(Object.keys(known())).toHaveLength(2);
  });

  test.each(['{', '[]', 'null', '{"a": 1}'])(
    'is measured if the file contains %s',
    async (text) => {
      writeFileSync(file, text);
      expect(['float32', 'bfloat16']).toContain(await chosen(128));
      expect(Object.values(known())).toHaveLength(1);
    },
  );
});

test("the dtype 'auto' is float32 for a narrow model, without measuring", async () => {
  await using karlo = await Karlo.load({ device: 'cpu' });
  expect(karlo.dtype).toBe('float32');
  expect(existsSync(file)).toBe(false);
});

test.runIf(!measured)("the dtype 'auto' is float32 on a CPU without AVX-512", async () => {
  expect(await chosen(128)).toBe('float32');
});
