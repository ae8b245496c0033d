import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { toApiError } from '../../errors.js';
import { type ResultStore, resultName } from '../../results/store.js';
import {
  type CompletedEvent,
  type ImageEvent,
  type Job,
  type JobEvent,
  taskLabels,
} from '../job.js';
import type { JobRunner } from '../job-runner.js';
import { Cancellations } from './cancellations.js';
import { announceModel } from './served-model.js';
import {
  type JobData,
  type JobResult,
  lockTimes,
  type Message,
  maxStalls,
  type RedisNames,
  redisNames,
} from './wire-format.js';

export interface BullmqWorkerOptions {
  runner: JobRunner;
  /** The queue's name. */
  queue: string;
  /** Waits for Redis: what happens while it is unreachable is reported afterwards. */
  redis: Redis;
  results: ResultStore;
  log: Logger;
  /** Jobs that run at once. */
  concurrency: number;
}

/** Runs the jobs of a queue until it is closed. */
export class BullmqWorker {
  readonly #options: BullmqWorkerOptions;
  readonly #names: RedisNames;
  readonly #worker: Worker<JobData, JobResult>;
  readonly #cancellations: Cancellations;
  readonly #stopAnnouncing: () => void;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the queue's workers serve another model */
  static async start(options: BullmqWorkerOptions): Promise<BullmqWorker> {
    const names = redisNames(options.queue);
    const stopAnnouncing = await announceModel(options.redis, names, options.runner.model);
    const cancellations = await Cancellations.subscribe(options.redis, names);
    return new BullmqWorker(options, names, cancellations, stopAnnouncing);
  }

  private constructor(
    options: BullmqWorkerOptions,
    names: RedisNames,
    cancellations: Cancellations,
    stopAnnouncing: () => void,
  ) {
    this.#options = options;
    this.#names = names;
    this.#cancellations = cancellations;
    this.#stopAnnouncing = stopAnnouncing;
    this.#worker = new Worker<JobData, JobResult>(
      options.queue,
      ({ data }) => this.#process(data),
      {
        connection: options.redis,
        concurrency: options.concurrency,
        maxStalledCount: maxStalls,
        ...lockTimes,
      },
    );
    this.#listen();
  }

  #listen(): void {
    const { log } = this.#options;
    const publishEnd = (job: { data: JobData }) => this.#publish(job.data.id, { type: 'ended' });
    this.#worker.on('completed', (job) => {
      log.info({ job: job.data.id, kind: taskLabels[job.data.task] }, 'done');
      publishEnd(job);
    });
    this.#worker.on('failed', (job, err) => {
      log.error({ job: job?.data.id, err }, 'failed');
      if (job) publishEnd(job);
    });
    this.#worker.on('stalled', (job) => log.warn({ job }, 'retrying the job of a lost worker'));
    this.#worker.on('error', ({ message }) => log.warn({ message }, 'the queue is unreachable'));
  }

  async #process(data: JobData): Promise<JobResult> {
    const watched = this.#cancellations.watch(data.id);
    try {
      if (!(await watched.isWanted())) return { cancelled: true };
      return await this.#run(await this.#withImage(data), watched.signal);
    } catch (error) {
      if (watched.signal.aborted) return { cancelled: true };
      const apiError = toApiError(error);
      // The client's errors are final. All others are thrown, so that BullMQ retries the job.
      if (apiError.status < 500) return { error: apiError.toJSON() };
      throw error;
    } finally {
      watched.end();
    }
  }

  async #run(job: Job, signal: AbortSignal): Promise<JobResult> {
    const images: { index: number; seed: number }[] = [];
    const stored: Promise<void>[] = [];
    let completed: CompletedEvent | undefined;
    const store = async ({ index, seed, data }: ImageEvent) => {
      await this.#options.results.put(resultName(job.id, index, job.format), data);
      images.push({ index, seed });
      this.#publish(job.id, { type: 'image', index, seed });
    };
    const emit = (event: JobEvent) => {
      if (event.type === 'completed') completed = event;
      else if (event.type === 'image') stored.push(withoutUnhandledRejection(store(event)));
      else this.#publish(job.id, toMessage(event));
    };
    try {
      await this.#options.runner.run(job, emit, signal);
    } finally {
      await Promise.allSettled(stored);
    }
    await Promise.all(stored);
    return { images, completed: completed as unknown as CompletedEvent };
  }

  async #withImage({ hasImage, ...data }: JobData): Promise<Job> {
    if (!hasImage) return data;
    const image = await this.#options.redis.getBuffer(this.#names.input(data.id));
    if (image === null) throw new Error('The image to vary has expired');
    return { ...data, image };
  }

  /** Failing to publish does not fail the job: its result is in Redis. */
  #publish(id: string, message: Message): void {
    this.#options.redis.publish(this.#names.events(id), JSON.stringify(message)).catch(() => {});
  }

  /** Takes no more jobs, and waits for the running ones. */
  async close(): Promise<void> {
    this.#stopAnnouncing();
    await this.#worker.close();
    this.#cancellations.close();
  }
}

/** For a promise that is awaited later and may reject before. */
function withoutUnhandledRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function toMessage(event: Exclude<JobEvent, { type: 'completed' | 'image' }>): Message {
  return event.type === 'partial_image' ? { ...event, data: event.data.toString('base64') } : event;
}
