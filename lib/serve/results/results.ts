import { ApiError } from '../protocol/api-error.js';

/** Finished pictures, for a while, by unguessable names. */
export interface ResultStore {
  /** Keeps the bytes; what is kept already under the name stays. */
  put(name: string, data: Buffer): Promise<void>;
  get(name: string): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

export const contentTypes = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
} as const;

/** A job's picture: 128 random bits, its number and its format. */
export function resultName(id: string, index: number, format: keyof typeof contentTypes): string {
  return `${id}-${index}.${format}`;
}

/** Whether a name is one that resultName makes: no other gets as far as a store. */
export function isResultName(name: string): boolean {
  return /^[\w-]{22}-\d{1,3}\.(png|jpeg|webp)$/.test(name);
}

/** In memory: so many seconds, and so many bytes in all. */
export class MemoryResults implements ResultStore {
  readonly #seconds: number;
  readonly #capacity: number;
  readonly #kept = new Map<string, { data: Buffer; expires: number }>();
  #bytes = 0;

  constructor({ seconds, capacity = 256e6 }: { seconds: number; capacity?: number }) {
    this.#seconds = seconds;
    this.#capacity = capacity;
  }

  async put(name: string, data: Buffer): Promise<void> {
    if (this.#kept.has(name)) return;
    if (data.length > this.#capacity) {
      const message = 'The picture is too large to be kept: ask for response_format b64_json';
      throw new ApiError(500, 'result_too_large', message);
    }
    this.#kept.set(name, { data, expires: Date.now() + 1000 * this.#seconds });
    this.#bytes += data.length;
    this.#tidy();
  }

  async get(name: string): Promise<Buffer | undefined> {
    this.#tidy();
    return this.#kept.get(name)?.data;
  }

  /** Drops the oldest ones: those that are due, and those that are one too many. */
  #tidy(): void {
    for (const [name, { data, expires }] of this.#kept) {
      if (expires > Date.now() && this.#bytes <= this.#capacity) break;
      this.#kept.delete(name);
      this.#bytes -= data.length;
    }
  }

  async close(): Promise<void> {
    this.#kept.clear();
  }
}
