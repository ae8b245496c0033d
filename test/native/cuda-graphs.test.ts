import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cudaSymbols } from '../../scripts/build/cuda-symbols.mjs';

const library = fileURLToPath(new URL('../../build/Release/libkarlo_cuda.so', import.meta.url));
const list = new URL('fixtures/cuda-symbols.txt', import.meta.url);

// `npm run cuda -- --write` opens the library with the real ones, and writes the list.
test.runIf(existsSync(library))(
  'the library for CUDA graphs needs no symbol that was not found in LibTorch',
  () => {
    const known = readFileSync(list, 'utf8').trim().split('\n');
    const needed = cudaSymbols(library);
    expect(needed.length).toBeGreaterThan(10);
    for (const symbol of needed) expect(known).toContain(symbol);
  },
);
