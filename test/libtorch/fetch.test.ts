import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sources } from '../../lib/libtorch/pins.js';
import { setUpLibTorch } from '../../lib/libtorch/setup.js';
import { failure, folderName, useCache } from './use-cache.js';

const here = useCache();

describe('setUpLibTorch with downloads', () => {
  test('downloads nothing offline, and the error says so', async () => {
    for (const options of [
      { env: { ...here.env, KARLO_OFFLINE: '1' } },
      { env: here.env, offline: true },
    ]) {
      const error = await failure(setUpLibTorch(options));
      expect(error).toMatchObject({ code: 'ERR_KARLO_LIBTORCH_MISSING' });
      expect(error.message).toContain('KARLO_OFFLINE or --offline forbids it');
      expect(error.message).toContain('unset KARLO_OFFLINE');
      expect(error.message).toContain(`${join(here.cache(), folderName)}`);
    }
    const online = { env: { ...here.env, KARLO_OFFLINE: '0' }, freeBytes: async () => 0 };
    expect((await failure(setUpLibTorch(online))).message).toContain('0.0 GB free');
  });

  test('requires space for the copies that pip makes, and for the unpacked files', async () => {
    const wheels = sources['linux-x64']?.cpu?.pins.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
    const error = await failure(
      setUpLibTorch({ env: here.env, cuda: false, freeBytes: async () => 3 * wheels }),
    );
    expect(error.message).toMatch(/needs 1\.7 GB but .* has 1\.6 GB free/);
    expect(here.leftovers()).toEqual([]);
  });

  test('pins every file by its hash and its size', () => {
    for (const { cpu, cuda } of Object.values(sources)) {
      for (const { requirement, sha256, bytes, take } of [
        ...(cpu?.pins ?? []),
        ...(cuda?.pins ?? []),
      ]) {
        expect(requirement).toMatch(/^[a-z0-9-]+==\d[\d.]*$/);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(bytes).toBeGreaterThan(1e6);
        expect(take.length).toBeGreaterThan(0);
      }
    }
  });

  test("reports pip's error, and the other ways to install LibTorch", async () => {
    mkdirSync(join(here.root, 'bin'));
    const pip =
      '#!/bin/sh\n[ "$3" = --version ] && exit 0\necho "THESE PACKAGES DO NOT MATCH THE HASHES" >&2\nexit 1\n';
    writeFileSync(join(here.root, 'bin/python3'), pip, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = [join(here.root, 'bin'), path].join(delimiter);
    try {
      const error = await failure(setUpLibTorch({ env: here.env }));
      expect(error.message).toContain('THESE PACKAGES DO NOT MATCH THE HASHES');
      expect(error.message).toContain('npx karlo setup --archive');
      expect(here.leftovers()).toEqual([]);
    } finally {
      process.env.PATH = path;
    }
  });
});
