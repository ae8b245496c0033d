import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ApiError, busy, unavailable } from '../protocol/api-error.js';
import type { ResultStore } from '../results/results.js';
import { announced } from './announce.js';
import type { Backend, Job, JobEvent, ModelCard } from './job.js';
import { Subscriptions } from './subscriptions.js';
import { WaitingJob } from './waiting-job.js';
import { type JobData, type JobResult, type Names, namesOf } from './wire.js';

export interface QueueOptions {
  queue: string;
  /** Impatient: while Redis is gone, requests are told so at once. */
  redis: Redis;
  results: ResultStore;
  /** Jobs that may wait, of all servers together. */
  capacity: number;
}

/** Jobs that workers do, on this machine or on others. */
export class QueueBackend implements Backend {
  readonly #options: QueueOptions;
  readonly #names: Names;
  readonly #queue: Queue<JobData, JobResult>;
  readonly #subscriptions: Subscriptions;

  static async open(options: QueueOptions): Promise<QueueBackend> {
    return new QueueBackend(options, await Subscriptions.open(options.redis));
  }

  private constructor(options: QueueOptions, subscriptions: Subscriptions) {
    this.#options = options;
    this.#names = namesOf(options.queue);
    this.#subscriptions = subscriptions;
    this.#queue = new Queue(options.queue, { connection: options.redis });
    // Told by the calls that fail; without a listener it would end the process.
    this.#queue.on('error', () => {});
  }

  model(): Promise<ModelCard | undefined> {
    return reached(() => announced(this.#options.redis, this.#names));
  }

  async load() {
    // Those of a worker that is gone wait apart, and so do those that failed, for their next try.
    const { active = 0, ...waiting } = await reached(() =>
      this.#queue.getJobCounts('prioritized', 'wait', 'delayed', 'active'),
    );
    return {
      waiting: Object.values(waiting).reduce((sum, count) => sum + count, 0),
      running: active,
    };
  }

  async admit(): Promise<void> {
    const { waiting } = await this.load();
    if (waiting >= this.#options.capacity) throw busy(5);
  }

  async submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>> {
    signal.throwIfAborted();
    await this.admit();
    const waitingJob = new WaitingJob(job, signal, {
      ...this.#options,
      names: this.#names,
      queue: this.#queue,
      subscriptions: this.#subscriptions,
    });
    try {
      await reached(() => waitingJob.add());
    } catch (error) {
      waitingJob.cancel();
      throw error;
    }
    return waitingJob.events();
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#subscriptions.close();
  }
}

/** What Redis says, or that it is gone. */
async function reached<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw unavailable('Expected the queue to answer but it is gone for now', error);
  }
}
