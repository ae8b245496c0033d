import { KarloError } from '../../errors.js';
import { useAnotherCache } from '../../util/environment.js';
import { isSystemError } from '../../util/file-errors.js';
import { requireFreeSpace } from '../../util/free-space.js';
import { downloadError } from '../download/failure.js';

/** Room for records and for partly filled file system blocks. */
const margin = 50e6;

/**
 * Checks that the store has space for `bytes` more.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export function checkSpace(
  folder: string,
  bytes: number,
  freeBytes?: (folder: string) => Promise<number>,
): Promise<void> {
  const purpose = 'The model';
  return requireFreeSpace(folder, bytes + margin, {
    ...{ purpose, code: 'ERR_KARLO_DOWNLOAD' },
    freeBytes,
  });
}

/** Turns a system error (a full disk, a read-only folder) into an ERR_KARLO_DOWNLOAD with a fix. */
export function asStoreError(error: unknown, store: string): unknown {
  if (error instanceof KarloError || !isSystemError(error)) return error;
  return downloadError(`Cannot write to ${store}: ${error.message}. ${useAnotherCache}`, error);
}
