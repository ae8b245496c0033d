import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { libtorchEntries, makeZip } from './make-libtorch.js';

export const linux = process.platform === 'linux';

/** The name of LibTorch's folder in the cache. */
export const folderName = `libtorch-2.11.0-${process.platform}-${process.arch}-cpu`;

type CodedError = Error & { code?: string };

/** An empty cache folder for each test of a file, in an environment where no LibTorch is installed. */
export function useCache() {
  const here = {
    /** A folder for the test's files. */
    root: '',
    env: {} as NodeJS.ProcessEnv,
    cache: () => join(here.root, 'cache'),
    /** What the cache contains besides LibTorch. */
    leftovers: () => readdirSync(here.cache()).filter((name) => name !== folderName),
    zip: (entries: Record<string, Buffer | string> = libtorchEntries()) =>
      makeZip(join(here.root, 'libtorch.zip'), entries),
  };
  beforeEach(() => {
    here.root = mkdtempSync(join(tmpdir(), 'karlo-setup-'));
    // Without Python on the path, so that the machine's own torch is not found.
    here.env = { PATH: join(here.root, 'bin'), KARLO_CACHE: here.cache() };
  });
  afterEach(() => rmSync(here.root, { recursive: true, force: true }));
  return here;
}

/** The error that a promise rejects with. */
export function failure(attempt: Promise<unknown>): Promise<CodedError> {
  return attempt.then(
    () => expect.unreachable('it did not fail'),
    (error: CodedError) => error,
  );
}

/** The error of `findLibTorch`. */
export function catchFind(env: NodeJS.ProcessEnv): CodedError {
  try {
    findLibTorch({ env });
  } catch (error) {
    return error as Error;
  }
  return expect.unreachable('it did not fail');
}

/** Makes a folder that looks like LibTorch on Linux. */
export function makeFolder(path: string, build: string): string {
  mkdirSync(join(path, 'lib'), { recursive: true });
  writeFileSync(join(path, 'build-version'), `${build}\n`);
  for (const name of ['libc10.so', 'libtorch_cpu.so']) writeFileSync(join(path, 'lib', name), '');
  return path;
}
