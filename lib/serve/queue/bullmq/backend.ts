import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { ApiError, queueFull, storageFull, unavailable } from '../../errors.js';
import { checkRedisMemory, isFullError } from '../../redis-memory.js';
import type { ResultStore } from '../../results/store.js';
import type { Backend, ServedModel } from '../backend.js';
import type { Job, JobEvent } from '../job.js';
import { EventSubscriber } from './event-subscriber.js';
import { InvalidMessages } from './invalid-messages.js';
import { QueuedJob } from './queued-job.js';
import { type RedisNames, redisNames } from './redis-names.js';
import { announcedModel } from './served-model.js';
import type { JobData, JobResult } from './wire-format.js';

export interface BullmqBackendOptions {
  /** The queue's name. */
  queue: string;
  /** Does not wait for Redis: while it is unreachable, requests fail at once. */
  redis: Redis;
  results: ResultStore;
  /** Jobs of all servers that may wait. */
  capacity: number;
  log: Logger;
}

/** Queues jobs for workers, on this machine or on others. */
export class BullmqBackend implements Backend {
  readonly #options: BullmqBackendOptions;
  readonly #names: RedisNames;
  readonly #queue: Queue<JobData, JobResult>;
  readonly #subscriber: EventSubscriber;
  readonly #invalidMessages: InvalidMessages;

  static async open(options: BullmqBackendOptions): Promise<BullmqBackend> {
    return new BullmqBackend(options, await EventSubscriber.open(options.redis));
  }

  private constructor(options: BullmqBackendOptions, subscriber: EventSubscriber) {
    this.#options = options;
    this.#names = redisNames(options.queue);
    this.#subscriber = subscriber;
    this.#invalidMessages = new InvalidMessages(options.log);
    this.#queue = new Queue(options.queue, { connection: options.redis });
    // The calls that fail report it. Without a listener, an error event would end the process.
    this.#queue.on('error', () => {});
  }

  get invalidMessages(): number {
    return this.#invalidMessages.count;
  }

  get #connection() {
    const { redis } = this.#options;
    return { redis, names: this.#names, invalidMessages: this.#invalidMessages };
  }

  model(): Promise<ServedModel | undefined> {
    return reachRedis(() => announcedModel(this.#connection));
  }

  checkStorage(): Promise<void> {
    return reachRedis(() => checkRedisMemory(this.#options.redis));
  }

  async load() {
    // `wait` holds the jobs of killed workers, `delayed` those that failed and will be retried.
    const { active = 0, ...waiting } = await reachRedis(() =>
      this.#queue.getJobCounts('prioritized', 'wait', 'delayed', 'active'),
    );
    return {
      waiting: Object.values(waiting).reduce((sum, count) => sum + count, 0),
      running: active,
    };
  }

  async admit(arriving: number): Promise<void> {
    await this.checkStorage();
    const { waiting } = await this.load();
    if (waiting + arriving >= this.#options.capacity) throw queueFull(5);
  }

  async submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>> {
    signal.throwIfAborted();
    await this.admit(0);
    const queuedJob = new QueuedJob(job, signal, {
      ...this.#connection,
      results: this.#options.results,
      queue: this.#queue,
      subscriber: this.#subscriber,
    });
    try {
      await reachRedis(() => queuedJob.add());
    } catch (error) {
      queuedJob.cancel();
      throw error;
    }
    return queuedJob.events();
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#subscriber.close();
  }
}

/** @throws {ApiError} 503 if Redis is unreachable or full */
async function reachRedis<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (isFullError(error)) throw storageFull(error);
    throw unavailable('The queue is unreachable', error);
  }
}
