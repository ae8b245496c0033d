import type { Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { type Checksum, startChecksum } from './checksum.js';

// Not the flag `a`: Windows cannot truncate a file that is opened only for appending.
const readWriteCreate = constants.O_RDWR | constants.O_CREAT;
const pieceSize = 1024 * 1024;

/**
 * A partially downloaded file and its running checksum. It persists across processes: when it is opened,
 * existing data is read to compute the checksum.
 */
export class Part {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #file: { size: number; checksum: Checksum };
  #hash: Hash;
  #bytes = 0;

  private constructor(path: string, handle: FileHandle, file: Part['file']) {
    this.#path = path;
    this.#handle = handle;
    this.#file = file;
    this.#hash = startChecksum(file.checksum, file.size);
  }

  /** Opens or creates the partial file. Data longer than the complete file is discarded. */
  static async open(path: string, file: Part['file'], signal?: AbortSignal): Promise<Part> {
    const part = new Part(path, await open(path, readWriteCreate, 0o644), file);
    try {
      const { size } = await part.#handle.stat();
      if (size > file.size) await part.restart();
      else await part.#read(size, signal);
      return part;
    } catch (error) {
      await part.close();
      throw error;
    }
  }

  async #read(size: number, signal: AbortSignal | undefined): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(size, pieceSize));
    while (this.#bytes < size) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#bytes);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#bytes += bytesRead;
    }
  }

  get file(): { size: number; checksum: Checksum } {
    return this.#file;
  }

  /** The number of bytes downloaded. */
  get bytes(): number {
    return this.#bytes;
  }

  get isComplete(): boolean {
    return this.#bytes === this.#file.size;
  }

  async append(chunk: Uint8Array): Promise<void> {
    let written = 0;
    while (written < chunk.length) {
      const rest = chunk.length - written;
      const { bytesWritten } = await this.#handle.write(chunk, written, rest, this.#bytes);
      this.#hash.update(chunk.subarray(written, written + bytesWritten));
      this.#bytes += bytesWritten;
      written += bytesWritten;
    }
  }

  /** Discards all data. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = startChecksum(this.#file.checksum, this.#file.size);
    this.#bytes = 0;
  }

  /** The checksum of the data, as hex. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Renames the part to its final name, after syncing it to disk. */
  async keep(target: string): Promise<void> {
    await this.#handle.sync();
    await this.close();
    await rename(this.#path, target);
  }

  async discard(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  /** Closes the file. Idempotent. */
  async close(): Promise<void> {
    await this.#handle.close().catch(() => {});
  }
}
