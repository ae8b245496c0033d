import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { abortable } from './abortable.js';

// Without O_NONBLOCK (which Windows does not have), opening a named pipe would wait for a writer.
const readOnly = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Why a file is not read although the system allows it. The message is the end of a sentence. */
export class RefusedFile extends Error {
  override readonly name = 'RefusedFile';
}

/** An open regular file. */
export interface RegularFile {
  /** Bytes, when the file was opened. */
  readonly size: number;
  /** Reads `length` bytes from `offset`, or fewer if the file was truncated since it was opened. */
  read(offset: number, length: number): Promise<Buffer>;
}

/**
 * Opens a file, and closes it after `use`. Links are followed.
 * @param signal rejects the promise at once, also while the system is still reading
 * @throws {RefusedFile} for a folder, and for a pipe or a device, which may never end
 * @throws the system's error if the file cannot be opened, or the reason of the signal
 */
export function withRegularFile<T>(
  path: string,
  use: (file: RegularFile) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return abortable(signal, async () => {
    await using handle = await open(path, readOnly);
    const stats = await handle.stat();
    if (!stats.isFile()) throw new RefusedFile(`it is ${kindOf(stats)}`);
    return await use({
      size: stats.size,
      async read(offset, length) {
        const buffer = Buffer.allocUnsafe(length);
        let filled = 0;
        while (filled < length) {
          signal?.throwIfAborted();
          const rest = length - filled;
          const { bytesRead } = await handle.read(buffer, filled, rest, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      },
    });
  });
}

/**
 * Reads a whole file, like {@link withRegularFile}.
 * @throws {RefusedFile} for a file of more than `maxBytes`
 */
export function readRegularFile(
  path: string,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal | undefined },
): Promise<Buffer> {
  const readAll = ({ size, read }: RegularFile) => {
    if (size > maxBytes) throw new RefusedFile(`it has ${size} bytes; the limit is ${maxBytes}`);
    return read(0, size);
  };
  return withRegularFile(path, async (file) => readAll(file), signal);
}

function kindOf(stats: Stats): string {
  return stats.isDirectory() ? 'a folder' : 'a pipe or a device';
}
