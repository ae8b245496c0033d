import { statfs } from 'node:fs/promises';
import { SetupError } from './setup-error.mjs';

// Small files fill whole blocks: about 10 000 headers.
const margin = 100e6;

/**
 * Refuses to begin what would fill the disk.
 * @param {string} folder
 * @param {number} bytes that will be written
 * @param {import('./setup.mjs').SetUpOptions} options
 */
export async function checkSpace(folder, bytes, { freeBytes = bytesFree }) {
  const [needed, free] = [bytes + margin, await freeBytes(folder)];
  if (free >= needed) return;
  const gigabytes = (/** @type {number} */ count) => `${(count / 1e9).toFixed(1)} GB`;
  const message = `Setting up LibTorch needs ${gigabytes(needed)} but ${folder} has ${gigabytes(free)} free. Take another folder with: export KARLO_CACHE=/path/with/space`;
  throw new SetupError('ERR_KARLO_SETUP', message);
}

/** @param {string} folder */
async function bytesFree(folder) {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
