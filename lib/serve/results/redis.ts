import type { Redis } from 'ioredis';
import { storageFull } from '../errors.js';
import { isFullError } from '../redis-memory.js';
import { ResultStore } from './store.js';

/** Images in Redis, which deletes them when they expire. */
export class RedisResults extends ResultStore {
  readonly #redis: Redis;
  readonly #key: (name: string) => string;
  readonly #seconds: number;

  /** @param key the Redis key of an image's name */
  constructor(redis: Redis, key: (name: string) => string, seconds: number) {
    super();
    this.#redis = redis;
    this.#key = key;
    this.#seconds = seconds;
  }

  /** @throws {ApiError} 503 if Redis is full */
  protected override async write(name: string, data: Buffer): Promise<void> {
    const key = this.#key(name);
    try {
      await this.#redis.set(key, data, 'EX', this.#seconds, 'NX');
    } catch (error) {
      if (!isFullError(error)) throw error;
      // A full Redis rejects the command even if it would change nothing.
      if (!(await this.#redis.exists(key))) throw storageFull(error);
    }
  }

  protected override async read(name: string): Promise<Buffer | undefined> {
    return (await this.#redis.getBuffer(this.#key(name))) ?? undefined;
  }

  /** Leaves the connection open: its owner closes it. */
  override async close(): Promise<void> {}
}
