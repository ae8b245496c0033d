import type { Redis } from 'ioredis';

/** Must not throw. */
type Listener = (text: string) => void;

/**
 * Receives what is published on the channels of jobs, over one connection, as it is. ioredis
 * resubscribes after an outage.
 */
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
    redis.on('message', (channel, text) => this.#listeners.get(channel)?.(text));
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
