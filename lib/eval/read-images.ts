import { runDecoding } from '../images/decoding/run.js';
import { readImageBytes } from '../images/image-bytes.js';
import { defaultLimits } from '../images/input-limits.js';
import type { Pixels } from '../images/pixels.js';
import { chunks } from '../util/chunks.js';

/** Images in memory. */
const together = 16;

/** An image file, with what else belongs to it. */
export interface ImageFile {
  readonly file: string;
}

/**
 * Decodes image files, a few at a time, so that memory does not grow with their number.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is missing or not an image
 */
export async function* readImages<T extends ImageFile>(
  files: readonly T[],
  signal: AbortSignal,
): AsyncGenerator<{ readonly files: readonly T[]; readonly images: readonly Pixels[] }> {
  for (const some of chunks(files, together)) {
    const images = await Promise.all(some.map(({ file }) => readImage(file, signal)));
    yield { files: some, images };
  }
}

async function readImage(file: string, signal: AbortSignal): Promise<Pixels> {
  const { bytes, label } = await readImageBytes(file, 'image');
  return await runDecoding('decode', bytes, { label, limits: defaultLimits }, signal);
}
