import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { KarloError } from '../errors.js';
import { corrupt } from './corrupt.js';

/** Random access to a file's bytes, so that readers run over a file and over a buffer alike. */
export interface ByteSource {
  /** For messages and for `TensorEntry.file`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`; callers have checked both against `size` or let this
   * do so. Throws `ERR_KARLO_MODEL_CORRUPT` when the file does not hold them.
   */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A byte source over memory. */
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
 * Opens `path` for the time of `use`.
 * Throws `ERR_KARLO_MODEL_NOT_FOUND` when it cannot be opened or is not a regular file.
 */
export async function withFile<T>(path: string, use: (source: ByteSource) => Promise<T>) {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    return await use({ name: path, size, read: (at, n) => readExactly(handle, path, size, at, n) });
  } finally {
    await handle.close();
  }
}

// Without O_NONBLOCK (which Windows lacks), opening a named pipe would wait for ever.
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
    // The file shrank since it was opened.
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
