import { createHash, type Hash } from 'node:crypto';
import { withFile } from '../weights/source.js';

const blockSize = 1 << 18;
const maxBlocks = 64;

/**
 * The SHA-256 of the components' names and files. To be fast for large models, a file over 16 MiB is
 * sampled: its size and 64 blocks of 256 KiB, evenly spaced from the first to the last.
 * @param components the files of each component
 * @returns hexadecimal
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if a file was removed
 */
export async function fingerprint(
  components: ReadonlyMap<string, readonly string[]>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const name of [...components.keys()].sort()) {
    hash.update(`${name}\0`);
    for (const file of components.get(name) as readonly string[]) await addFile(hash, file);
  }
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string): Promise<void> {
  await withFile(path, async ({ size, read }) => {
    hash.update(`${size}\0`);
    for (const at of blockStarts(size)) {
      hash.update(await read(at, Math.min(blockSize, size - at)));
    }
  });
}

function blockStarts(size: number): number[] {
  const blocks = Math.min(Math.ceil(size / blockSize), maxBlocks);
  const stride = blocks > 1 ? (size - blockSize) / (blocks - 1) : 0;
  return Array.from({ length: blocks }, (_, i) => Math.max(0, Math.round(i * stride)));
}
