import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { fingerprint } from '../../lib/layouts/fingerprint.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const of = (...components: [string, string[]][]) => fingerprint(new Map(components));

describe('of small files', () => {
  beforeEach(() => {
    writeFileSync(path('a'), 'weights of a');
    writeFileSync(path('b'), 'weights of b');
  });

  test('is the SHA-256 of names, sizes and contents', async () => {
    const hash = createHash('sha256').update('prior\x0012\0weights of a').digest('hex');
    expect(await of(['prior', [path('a')]])).toBe(hash);
  });

  test('does not depend on the order of the components', async () => {
    const a: [string, string[]] = ['decoder', [path('a')]];
    const b: [string, string[]] = ['prior', [path('b')]];
    expect(await of(a, b)).toBe(await of(b, a));
  });

  test('depends on which component has a file', async () => {
    const prior = await of(['prior', [path('a')]]);
    expect(await of(['decoder', [path('a')]])).not.toBe(prior);
    expect(await of(['prior', [path('a'), path('b')]])).not.toBe(prior);
  });
});

describe('of a file over 16 MiB', () => {
  const size = 40 * 1024 * 1024;
  const block = 256 * 1024;
  const withByteAt = async (at?: number) => {
    const bytes = Buffer.alloc(size);
    if (at !== undefined) bytes[at] = 1;
    writeFileSync(path('large'), bytes);
    return of(['prior', [path('large')]]);
  };

  test('covers the first and the last block, and samples those between', async () => {
    const zeros = await withByteAt();
    expect(await withByteAt(0)).not.toBe(zeros);
    expect(await withByteAt(size - 1)).not.toBe(zeros);
    // The second of 64 evenly spaced blocks starts after more than twice the length of a block.
    expect(await withByteAt(block + 1)).toBe(zeros);
  });

  test('depends on the size', async () => {
    const zeros = await withByteAt();
    truncateSync(path('large'), size + 1);
    expect(await of(['prior', [path('large')]])).not.toBe(zeros);
  });
});
