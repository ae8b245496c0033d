import { type Job as BullmqJob, UnrecoverableError } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { ApiError, toApiError } from '../../errors.js';
import { checkImage } from '../../protocol/input-image.js';
import { animationName, isJobId, type ResultStore, resultName } from '../../results/store.js';
import { defaults } from '../../settings.js';
import {
  animationOf,
  type CompletedEvent,
  type ImageEvent,
  type Job,
  type JobAnimation,
  type JobEvent,
  methodLabels,
} from '../job.js';
import type { JobRunner } from '../job-runner.js';
import { Cancellations } from './cancellations.js';
import { InvalidMessages } from './invalid-messages.js';
import { type RedisNames, redisNames } from './redis-names.js';
import { announceModel } from './served-model.js';
import { TolerantWorker } from './tolerant-worker.js';
import {
  checkVersion,
  eventMessage,
  InvalidMessage,
  type JobData,
  type JobEventMessage,
  type JobResult,
  jobMessage,
  resultMessage,
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
  readonly #worker: TolerantWorker;
  readonly #cancellations: Cancellations;
  readonly #stopAnnouncing: () => void;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the queue's workers serve another model, or are of another version */
  static async start(options: BullmqWorkerOptions): Promise<BullmqWorker> {
    const names = redisNames(options.queue);
    const invalidMessages = new InvalidMessages(options.log);
    const connection = { redis: options.redis, names, invalidMessages };
    const stopAnnouncing = await announceModel(connection, options.runner.model);
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
    this.#worker = new TolerantWorker(options.queue, (job) => this.#process(job), options);
    this.#listen();
  }

  #listen(): void {
    const { log } = this.#options;
    /** Anyone can add a job of any id. */
    const idOf = (id: unknown) => (isJobId(id) ? id : 'of an invalid id');
    const publishEnd = ({ id }: QueueEntry) => this.#publish(idOf(id), { type: 'ended' });
    this.#worker.on('completed', (job, { body }) => {
      if (body.status === 'failed') log.warn({ job: job.id, code: body.error.code }, 'rejected');
      else log.info({ job: job.id, kind: methodLabels[job.data.body.call.method] }, 'done');
      publishEnd(job);
    });
    this.#worker.on('failed', (job, err) => {
      log.error({ job: idOf(job?.id), err }, 'failed');
      if (job) publishEnd(job);
    });
    this.#worker.on('stalled', (id) =>
      log.warn({ job: idOf(id) }, 'retrying the job of a lost worker'),
    );
    this.#worker.on('error', (error) => {
      // The message of a SyntaxError quotes what is in Redis.
      const message = error instanceof SyntaxError ? 'a record is damaged' : error.message;
      log.warn({ message }, 'the queue has failed');
    });
  }

  /**
   * Errors that are thrown are retried by BullMQ, except for an UnrecoverableError.
   * @throws {UnrecoverableError} if the job is invalid
   */
  async #process({ id, data }: QueueEntry): Promise<JobResult> {
    try {
      if (!isJobId(id)) throw new InvalidMessage('Invalid id of a job');
      checkVersion(data);
      return resultMessage.write(await this.#runIfWanted(id, jobMessage.read(data)));
    } catch (error) {
      if (error instanceof InvalidMessage) throw new UnrecoverableError(error.message);
      const apiError = toApiError(error);
      // What is meant for the client does not change with another try.
      if (error instanceof ApiError || apiError.status < 500) {
        return resultMessage.write({ status: 'failed', error: apiError.toJSON() });
      }
      throw error;
    }
  }

  async #runIfWanted(id: string, { files: count, ...message }: JobMessage): Promise<JobOutcome> {
    const watched = this.#cancellations.watch(id);
    const { signal } = watched;
    try {
      if (!(await watched.isWanted())) return { status: 'cancelled' };
      const files = await this.#filesOf(id, count, signal);
      return await this.#run({ ...message, id, files } as Job, signal);
    } catch (error) {
      if (watched.signal.aborted) return { status: 'cancelled' };
      throw error;
    } finally {
      watched.end();
    }
  }

  async #run(job: Job, signal: AbortSignal): Promise<JobOutcome> {
    const stored: Promise<void>[] = [];
    const seeds: number[] = [];
    const verdicts: boolean[] = [];
    let completed: CompletedEvent | undefined;
    const store = async ({ index, seed, unsafe, data }: ImageEvent) => {
      seeds[index] = seed;
      if (unsafe !== undefined) verdicts[index] = unsafe;
      await this.#options.results.put(resultName(job.id, index, job.format), data);
      this.#publish(job.id, { type: 'image', index, seed, unsafe });
    };
    const storeAnimation = async (data: Buffer, { format }: JobAnimation) => {
      await this.#options.results.put(animationName(job.id, format), data);
      this.#publish(job.id, { type: 'animation' });
    };
    const emit = (event: JobEvent) => {
      if (event.type === 'completed') completed = event;
      else if (event.type === 'image') stored.push(withoutUnhandledRejection(store(event)));
      else if (event.type === 'animation') {
        const animation = animationOf(job.call) as JobAnimation;
        stored.push(withoutUnhandledRejection(storeAnimation(event.data, animation)));
      } else if (event.type !== 'queued') this.#publish(job.id, event);
    };
    try {
      await this.#options.runner.run(job, emit, signal);
    } finally {
      await Promise.allSettled(stored);
    }
    await Promise.all(stored);
    const { warnings, timings, promptTokens } = completed as unknown as CompletedEvent;
    const unsafe = verdicts.length > 0 ? { unsafe: verdicts } : {};
    return {
      status: 'completed',
      seeds,
      ...unsafe,
      warnings: [...warnings],
      timings,
      promptTokens,
    };
  }

  /** @throws {ApiError} 400 or 413 if an image is not one that a server accepts */
  async #filesOf(id: string, count: number, signal: AbortSignal): Promise<Buffer[]> {
    const files: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const file = await this.#options.redis.getBuffer(this.#names.input(id, i));
      if (file === null) throw new Error('An image file of the job has expired');
      await checkImage(file, 'image', defaults.imageLimits, signal);
      files.push(file);
    }
    return files;
  }

  /** Failing to publish does not fail the job: its result is in Redis. */
  #publish(id: string, event: JobEventMessage): void {
    const text = JSON.stringify(eventMessage.write(event));
    this.#options.redis.publish(this.#names.events(id), text).catch(() => {});
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

type QueueEntry = BullmqJob<JobData, JobResult>;
type JobMessage = ReturnType<typeof jobMessage.read>;
type JobOutcome = ReturnType<typeof resultMessage.read>;
