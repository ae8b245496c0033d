import type { Redis } from 'ioredis';
import type { Message } from './wire.js';

type Listener = (message: Message) => void;

/** What workers say about jobs, over one connection. After an outage it subscribes again by itself. */
export class Subscriptions {
  readonly #redis: Redis;
  readonly #listeners = new Map<string, Listener>();

  static async open(redis: Redis): Promise<Subscriptions> {
    const own = redis.duplicate({ enableOfflineQueue: true, commandTimeout: undefined });
    own.on('error', () => {});
    await own.connect();
    return new Subscriptions(own);
  }

  private constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('message', (channel, text) => {
      const listener = this.#listeners.get(channel);
      if (listener) listener(JSON.parse(text) as Message);
    });
  }

  async add(channel: string, listener: Listener): Promise<void> {
    this.#listeners.set(channel, listener);
    await this.#redis.subscribe(channel);
  }

  /** Without waiting: Redis may be gone. */
  remove(channel: string): void {
    this.#listeners.delete(channel);
    this.#redis.unsubscribe(channel).catch(() => {});
  }

  close(): void {
    this.#redis.disconnect();
  }
}
