import { KarloError } from '../errors.js';
import { isUnreadable, whyUnreadable } from './file-errors.js';
import { maxPointerBytes, rejectLfsPointer } from './lfs-pointer.js';
import { type RegularFile, withRegularFile } from './regular-file.js';

/** The most bytes that a file of a model may have, by its kind. Weights are not read, but mapped. */
export const modelFileLimits = {
  /** A network, a scheduler, preprocessing, a tokenizer or a converted folder; usually 1 KB. */
  config: 2 ** 20,
  /** An index of shards; a tensor usually takes 200 bytes. */
  index: 2 ** 25,
  /** The graph of a converted network; usually 0.2 MB. */
  graph: 2 ** 24,
  /** `vocab.json`. This one and the next two fit ten times CLIP's tokens. */
  vocabulary: 2 ** 24,
  /** `merges.txt` */
  merges: 2 ** 23,
  /** `tokenizer.json` */
  tokenizer: 2 ** 25,
} as const;

export type ModelFileKind = keyof typeof modelFileLimits;

/**
 * Opens a file of a model, and closes it after `use`.
 * @param signal rejects the promise at once
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if it cannot be read or is not a regular file;
 *   ERR_KARLO_MODEL_CORRUPT if it is a Git LFS pointer
 */
export async function withModelFile<T>(
  path: string,
  use: (file: RegularFile) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const checkAndUse = async (file: RegularFile) => {
    if (file.size <= maxPointerBytes) rejectLfsPointer(await file.read(0, file.size), path);
    return await use(file);
  };
  try {
    return await withRegularFile(path, checkAndUse, signal);
  } catch (cause) {
    if (!isUnreadable(cause)) throw cause;
    const message = `Expected a readable file at ${path} but ${whyUnreadable(cause)}`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message, { cause });
  }
}

/**
 * Reads a whole file of a model.
 * @throws {KarloError} as {@link withModelFile}; ERR_KARLO_MODEL_CORRUPT if it exceeds the limit of its kind
 */
export function readModelFile(
  path: string,
  kind: ModelFileKind,
  signal?: AbortSignal,
): Promise<Buffer> {
  const limit = modelFileLimits[kind];
  const readAll = async ({ size, read }: RegularFile) => {
    if (size <= limit) return await read(0, size);
    const message = `Expected at most ${limit} bytes for size in ${path} but received ${size}`;
    throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
  };
  return withModelFile(path, readAll, signal);
}
