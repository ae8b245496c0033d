import type { Redis } from 'ioredis';
import type { RedisNames } from './redis-names.js';

/** Seconds between checks that a running job is still wanted. Its server may have been killed. */
const checkSeconds = 5;

/** A running job that may be cancelled. */
export interface WatchedJob {
  /** Aborts when the job is cancelled. */
  readonly signal: AbortSignal;
  isWanted(): Promise<boolean>;
  /** Stops watching. */
  end(): void;
}

/** Tells a worker which of its running jobs are cancelled. */
export class Cancellations {
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #names: RedisNames;
  readonly #running = new Map<string, AbortController>();

  static async subscribe(redis: Redis, names: RedisNames): Promise<Cancellations> {
    const subscriber = redis.duplicate();
    subscriber.on('error', () => {});
    await subscriber.subscribe(names.cancel);
    return new Cancellations(redis, subscriber, names);
  }

  private constructor(redis: Redis, subscriber: Redis, names: RedisNames) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#names = names;
    subscriber.on('message', (_channel, id) => this.#running.get(id)?.abort());
  }

  watch(id: string): WatchedJob {
    const controller = new AbortController();
    this.#running.set(id, controller);
    const isWanted = async () => (await this.#redis.exists(this.#names.wanted(id))) === 1;
    const check = () =>
      isWanted().then(
        (wanted) => wanted || controller.abort(),
        () => {}, // While Redis is unreachable, the job continues.
      );
    const timer = setInterval(check, 1000 * checkSeconds);
    const end = () => {
      clearInterval(timer);
      this.#running.delete(id);
    };
    return { signal: controller.signal, isWanted, end };
  }

  close(): void {
    this.#subscriber.disconnect();
  }
}
