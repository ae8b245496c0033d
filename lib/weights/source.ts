import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { KarloError } from '../errors.js';
import { maxPointerBytes, rejectLfsPointer } from '../util/lfs-pointer.js';
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
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if it cannot be opened or is not a regular file;
 *   ERR_KARLO_MODEL_CORRUPT if it is a Git LFS pointer
 */
export async function withFile<T>(path: string, use: (source: ByteSource) => Promise<T>) {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    const read = (at: number, n: number) => readExactly(handle, path, size, at, n);
    if (size <= maxPointerBytes) rejectLfsPointer(await read(0, size), path);
    return await use({ name: path, size, read });
  } finally {
    await handle.close();
  }
}

// Without O_NONBLOCK (which Windows does not have), opening a named pipe would wait forever.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

async function openRegular(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, READ);
  } catch (cause) {
    const message = `Expected a readable file at ${path} but received ${(cause as Error).message}`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message, { cause });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  const message = `Expected a file at ${path} but received a folder or a device`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

async function readExactly(
  handle: FileHandle,
  path: string,
  size: number,
  offset: number,
  length: number,
): Promise<Buffer> {
  checkRange(path, size, offset, length);
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    // The file was truncated after it was opened.
    if (bytesRead === 0) throw corrupt(`${size} bytes`, 'size', path, offset + filled);
    filled += bytesRead;
  }
  return buffer;
}

function checkRange(name: string, size: number, offset: number, length: number) {
  const end = offset + length;
  if (offset >= 0 && length >= 0 && Number.isSafeInteger(end) && end <= size) return;
  throw corrupt(`a byte range within ${size} bytes`, 'read', name, `${offset} to ${end}`);
}
