import type { Redis } from 'ioredis';
import type { ResultStore } from './store.js';

/** Images in Redis, which deletes them when they expire. */
export class RedisResults implements ResultStore {
  readonly #redis: Redis;
  readonly #key: (name: string) => string;
  readonly #seconds: number;

  /** @param key the Redis key of an image's name */
  constructor(redis: Redis, key: (name: string) => string, seconds: number) {
    this.#redis = redis;
    this.#key = key;
    this.#seconds = seconds;
  }

  async put(name: string, data: Buffer): Promise<void> {
    await this.#redis.set(this.#key(name), data, 'EX', this.#seconds, 'NX');
  }

  async get(name: string): Promise<Buffer | undefined> {
    return (await this.#redis.getBuffer(this.#key(name))) ?? undefined;
  }

  /** Leaves the connection open: its owner closes it. */
  async close(): Promise<void> {}
}
