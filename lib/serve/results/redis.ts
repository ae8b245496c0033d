import type { Redis } from 'ioredis';
import type { Names } from '../queue/wire.js';
import type { ResultStore } from './results.js';

/** Finished pictures in Redis, until they expire. */
export class RedisResults implements ResultStore {
  readonly #redis: Redis;
  readonly #names: Names;
  readonly #seconds: number;

  constructor(redis: Redis, names: Names, seconds: number) {
    this.#redis = redis;
    this.#names = names;
    this.#seconds = seconds;
  }

  async put(name: string, data: Buffer): Promise<void> {
    await this.#redis.set(this.#names.result(name), data, 'EX', this.#seconds, 'NX');
  }

  async get(name: string): Promise<Buffer | undefined> {
    return (await this.#redis.getBuffer(this.#names.result(name))) ?? undefined;
  }

  /** The connection is for who made it to close. */
  async close(): Promise<void> {}
}
