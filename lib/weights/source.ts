import { withModelFile } from '../util/model-file.js';
import type { RegularFile } from '../util/regular-file.js';
import { corrupt } from './corrupt.js';

/** Random access to bytes in a file or in memory. */
export interface ByteSource {
  /** For messages and for `TensorEntry.file`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes from `offset`.
   * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if the source ends before that
   */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A byte source in memory. */
export function bufferSource(name: string, bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    name,
    size: buffer.length,
    async read(offset, length) {
      checkRange(name, buffer.length, offset, length);
      return buffer.subarray(offset, offset + length);
    },
  };
}

/**
 * Opens a file, and closes it after `use`.
 * @param signal rejects the promise at once
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if it cannot be read or is not a regular file;
 *   ERR_KARLO_MODEL_CORRUPT if it is a Git LFS pointer
 */
export function withFile<T>(
  path: string,
  use: (source: ByteSource) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const useSource = ({ size, read }: RegularFile) =>
    use({
      name: path,
      size,
      async read(offset, length) {
        checkRange(path, size, offset, length);
        const bytes = await read(offset, length);
        if (bytes.length === length) return bytes;
        // The file was truncated after it was opened.
        throw corrupt(`${size} bytes`, 'size', path, offset + bytes.length);
      },
    });
  return withModelFile(path, useSource, signal);
}

function checkRange(name: string, size: number, offset: number, length: number) {
  const end = offset + length;
  if (offset >= 0 && length >= 0 && Number.isSafeInteger(end) && end <= size) return;
  throw corrupt(`a byte range within ${size} bytes`, 'read', name, `${offset} to ${end}`);
}
