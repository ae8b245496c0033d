import { statfs } from 'node:fs/promises';
import { KarloError, type KarloErrorCode } from '../errors.js';
import { useAnotherCache } from './environment.js';

export interface SpaceRequirement {
  /** What the space is for, as the subject of the error message: `The model`. */
  purpose: string;
  /** The code of the error. */
  code: KarloErrorCode;
  /** Measures the free bytes. Default: what the file system reports. */
  freeBytes?: ((folder: string) => Promise<number>) | undefined;
}

/**
 * Checks that a folder of the cache has space for `bytes` more.
 * @throws {KarloError} with the code that was given
 */
export async function requireFreeSpace(
  folder: string,
  bytes: number,
  { purpose, code, freeBytes = availableBytes }: SpaceRequirement,
): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= bytes) return;
  const message = `${purpose} needs ${gigabytes(bytes)} but ${folder} has ${gigabytes(free)} free. ${useAnotherCache}`;
  throw new KarloError(code, message);
}

async function availableBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
