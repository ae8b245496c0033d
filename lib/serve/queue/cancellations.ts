import type { Redis } from 'ioredis';
import type { Names } from './wire.js';

/** Seconds between looks whether a job at work is still wanted: its server may have been killed. */
const lookEvery = 5;

/** One job under watch. */
export interface Watch {
  /** Aborts when the job is cancelled. */
  readonly signal: AbortSignal;
  isWanted(): Promise<boolean>;
  end(): void;
}

/** Ends jobs that nobody wants any more. */
export class Cancellations {
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #names: Names;
  readonly #running = new Map<string, AbortController>();

  static async listen(redis: Redis, names: Names): Promise<Cancellations> {
    const subscriber = redis.duplicate();
    subscriber.on('error', () => {});
    await subscriber.subscribe(names.cancel);
    return new Cancellations(redis, subscriber, names);
  }

  private constructor(redis: Redis, subscriber: Redis, names: Names) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#names = names;
    subscriber.on('message', (_channel, id) => this.#running.get(id)?.abort());
  }

  watch(id: string): Watch {
    const controller = new AbortController();
    this.#running.set(id, controller);
    const isWanted = async () => (await this.#redis.exists(this.#names.wanted(id))) === 1;
    const look = () =>
      isWanted().then(
        (wanted) => wanted || controller.abort(),
        () => {}, // Redis is gone for now: what is at work goes on.
      );
    const timer = setInterval(look, 1000 * lookEvery);
    const end = () => {
      clearInterval(timer);
      this.#running.delete(id);
    };
    return { signal: controller.signal, isWanted, end };
  }

  async close(): Promise<void> {
    this.#subscriber.disconnect();
  }
}
