import type { Redis } from 'ioredis';
import type { Message } from './wire-format.js';

type Listener = (message: Message) => void;

/** Receives what workers publish about jobs, over one connection. ioredis resubscribes after an outage. */
export class EventSubscriber {
  readonly #redis: Redis;
  readonly #listeners = new Map<string, Listener>();

  static async open(redis: Redis): Promise<EventSubscriber> {
    const subscriber = redis.duplicate({ enableOfflineQueue: true, commandTimeout: undefined });
    subscriber.on('error', () => {});
    await subscriber.connect();
    return new EventSubscriber(subscriber);
  }

  private constructor(redis: Redis) {
    this.#redis = redis;
    redis.on('message', (channel, text) => {
      const listener = this.#listeners.get(channel);
      if (listener) listener(JSON.parse(text) as Message);
    });
  }

  async subscribe(channel: string, listener: Listener): Promise<void> {
    this.#listeners.set(channel, listener);
    await this.#redis.subscribe(channel);
  }

  /** Does not wait for Redis, which may be unreachable. */
  unsubscribe(channel: string): void {
    this.#listeners.delete(channel);
    this.#redis.unsubscribe(channel).catch(() => {});
  }

  close(): void {
    this.#redis.disconnect();
  }
}
