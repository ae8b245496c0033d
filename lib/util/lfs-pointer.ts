import { KarloError } from '../errors.js';

/** The most bytes of a pointer (git-lfs/docs/spec.md). */
export const maxPointerBytes = 1023;

const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\r?\n/;

/** Whether a file is the pointer that Git stores in place of a large file. */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return bytes.length <= maxPointerBytes && pointer.test(Buffer.from(bytes).toString('latin1'));
}

/**
 * Rejects a Git LFS pointer in place of a model's file.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
 */
export function rejectLfsPointer(bytes: Uint8Array, path: string): void {
  if (!isLfsPointer(bytes)) return;
  const [, size = 'an unknown number of'] =
    /^size (\d+)/m.exec(Buffer.from(bytes).toString()) ?? [];
  const message = `Expected the contents of ${path} but received a Git LFS pointer to a file of ${size} bytes. Download the contents: run git lfs pull in that repository, or use npx karlo pull`;
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}
