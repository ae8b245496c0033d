import { statfs } from 'node:fs/promises';
import { KarloError } from '../../errors.js';
import { downloadError } from '../download/failure.js';

// Records, and the blocks that small files fill.
const margin = 50e6;

const anotherFolder = 'Take another folder with: export KARLO_CACHE=/path/with/space';

/**
 * Refuses to begin what would fill the disk.
 * @param bytes that will be written
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export async function checkSpace(
  folder: string,
  bytes: number,
  freeBytes: (folder: string) => Promise<number> = bytesFree,
): Promise<void> {
  const [needed, free] = [bytes + margin, await freeBytes(folder)];
  if (free >= needed) return;
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  throw downloadError(
    `The model needs ${gigabytes(needed)} more but ${folder} has ${gigabytes(free)} free. ${anotherFolder}`,
  );
}

async function bytesFree(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** A system's error (a full disk, a folder that may not be written) with what to do about it. */
export function asStoreError(error: unknown, store: string): unknown {
  if (error instanceof KarloError || !(error instanceof Error) || !('syscall' in error))
    return error;
  return downloadError(`Writing to ${store} failed: ${error.message}. ${anotherFolder}`, error);
}
