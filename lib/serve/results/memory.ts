import { ApiError } from '../errors.js';
import { ResultStore } from './store.js';

interface Entry {
  readonly data: Buffer;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Images in memory, for a limited time and up to a total size. */
export class MemoryResults extends ResultStore {
  readonly #seconds: number;
  readonly #capacity: number;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** @param options.capacity bytes in total, by default 256 MB; beyond it, the oldest images are dropped */
  constructor({ seconds, capacity = 256e6 }: { seconds: number; capacity?: number }) {
    super();
    this.#seconds = seconds;
    this.#capacity = capacity;
  }

  /** @throws {ApiError} 500 if the image is larger than the whole store */
  protected override async write(name: string, data: Buffer): Promise<void> {
    if (this.#entries.has(name)) return;
    if (data.length > this.#capacity) {
      const message = 'The image is too large to keep. Request response_format b64_json';
      throw new ApiError(500, 'result_too_large', message);
    }
    this.#entries.set(name, { data, expires: Date.now() + 1000 * this.#seconds });
    this.#bytes += data.length;
    this.#dropOld();
  }

  protected override async read(name: string): Promise<Buffer | undefined> {
    this.#dropOld();
    return this.#entries.get(name)?.data;
  }

  #dropOld(): void {
    for (const [name, { data, expires }] of this.#entries) {
      if (expires > Date.now() && this.#bytes <= this.#capacity) break;
      this.#entries.delete(name);
      this.#bytes -= data.length;
    }
  }

  override async close(): Promise<void> {
    this.#entries.clear();
  }
}
