import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ApiError, queueFull, unavailable } from '../../errors.js';
import type { ResultStore } from '../../results/store.js';
import type { Backend, ServedModel } from '../backend.js';
import type { Job, JobEvent } from '../job.js';
import { EventSubscriber } from './event-subscriber.js';
import { QueuedJob } from './queued-job.js';
import { announcedModel } from './served-model.js';
import { type JobData, type JobResult, type RedisNames, redisNames } from './wire-format.js';

export interface BullmqBackendOptions {
  /** The queue's name. */
  queue: string;
  /** Does not wait for Redis: while it is unreachable, requests fail at once. */
  redis: Redis;
  results: ResultStore;
  /** Jobs of all servers that may wait. */
  capacity: number;
}

/** Queues jobs for workers, on this machine or on others. */
export class BullmqBackend implements Backend {
  readonly #options: BullmqBackendOptions;
  readonly #names: RedisNames;
  readonly #queue: Queue<JobData, JobResult>;
  readonly #subscriber: EventSubscriber;

  static async open(options: BullmqBackendOptions): Promise<BullmqBackend> {
    return new BullmqBackend(options, await EventSubscriber.open(options.redis));
  }

  private constructor(options: BullmqBackendOptions, subscriber: EventSubscriber) {
    this.#options = options;
    this.#names = redisNames(options.queue);
    this.#subscriber = subscriber;
    this.#queue = new Queue(options.queue, { connection: options.redis });
    // The calls that fail report it. Without a listener, an error event would end the process.
    this.#queue.on('error', () => {});
  }

  model(): Promise<ServedModel | undefined> {
    return reachRedis(() => announcedModel(this.#options.redis, this.#names));
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

  async admit(): Promise<void> {
    const { waiting } = await this.load();
    if (waiting >= this.#options.capacity) throw queueFull(5);
  }

  async submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>> {
    signal.throwIfAborted();
    await this.admit();
    const queuedJob = new QueuedJob(job, signal, {
      ...this.#options,
      names: this.#names,
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

/** @throws {ApiError} 503 if Redis is unreachable */
async function reachRedis<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw unavailable('The queue is unreachable', error);
  }
}
