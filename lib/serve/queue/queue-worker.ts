import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { asApiError } from '../protocol/api-error.js';
import { type ResultStore, resultName } from '../results/results.js';
import { keepAnnouncing } from './announce.js';
import { Cancellations } from './cancellations.js';
import type { Done, Job, JobEvent, ModelCard } from './job.js';
import { type Maker, runJob } from './run-job.js';
import {
  type JobData,
  type JobResult,
  lockTimes,
  type Message,
  mostStalls,
  type Names,
  namesOf,
} from './wire.js';

export interface WorkerOptions {
  maker: Maker;
  card: ModelCard;
  queue: string;
  /** Patient: what is done while Redis is gone is told when it is back. */
  redis: Redis;
  results: ResultStore;
  log: Logger;
  /** Jobs at work at once. */
  concurrency: number;
}

/** Does the jobs of a queue, until it is closed. */
export class QueueWorker {
  readonly #options: WorkerOptions;
  readonly #names: Names;
  readonly #worker: Worker<JobData, JobResult>;
  readonly #cancellations: Cancellations;
  readonly #stopAnnouncing: () => Promise<void>;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where the queue's workers serve another model */
  static async start(options: WorkerOptions): Promise<QueueWorker> {
    const names = namesOf(options.queue);
    const stopAnnouncing = await keepAnnouncing(options.redis, names, options.card);
    const cancellations = await Cancellations.listen(options.redis, names);
    return new QueueWorker(options, names, cancellations, stopAnnouncing);
  }

  private constructor(
    options: WorkerOptions,
    names: Names,
    cancellations: Cancellations,
    stopAnnouncing: () => Promise<void>,
  ) {
    this.#options = options;
    this.#names = names;
    this.#cancellations = cancellations;
    this.#stopAnnouncing = stopAnnouncing;
    this.#worker = new Worker<JobData, JobResult>(options.queue, ({ data }) => this.#do(data), {
      connection: options.redis,
      concurrency: options.concurrency,
      maxStalledCount: mostStalls,
      ...lockTimes,
    });
    this.#follow();
  }

  #follow(): void {
    const { log } = this.#options;
    const ended = (job: { data: JobData }) => this.#tell(job.data.id, { type: 'ended' });
    this.#worker.on('completed', (job) => {
      log.info({ job: job.data.id, kind: job.data.kind }, 'done');
      ended(job);
    });
    this.#worker.on('failed', (job, err) => {
      log.error({ job: job?.data.id, err }, 'failed');
      if (job) ended(job);
    });
    this.#worker.on('stalled', (job) => log.warn({ job }, 'its worker is gone: done again'));
    this.#worker.on('error', ({ message }) => log.warn({ message }, 'the queue does not answer'));
  }

  async #do(data: JobData): Promise<JobResult> {
    const cancelled = this.#cancellations.watch(data.id);
    try {
      if (!(await cancelled.isWanted())) return { cancelled: true };
      return await this.#make(await this.#withImage(data), cancelled.signal);
    } catch (error) {
      if (cancelled.signal.aborted) return { cancelled: true };
      const { status, code, message, param } = asApiError(error);
      // What is wrong with the request stays wrong; all else is worth another try.
      if (status < 500) return { error: { status, code, message, param } };
      throw error;
    } finally {
      cancelled.end();
    }
  }

  async #make(job: Job, signal: AbortSignal): Promise<JobResult> {
    const pictures: { index: number; seed: number }[] = [];
    const stored: Promise<void>[] = [];
    let done: Done | undefined;
    const keep = async ({ index, seed, data }: Extract<JobEvent, { type: 'picture' }>) => {
      await this.#options.results.put(resultName(job.id, index, job.format), data);
      pictures.push({ index, seed });
      this.#tell(job.id, { type: 'picture', index, seed });
    };
    const emit = (event: JobEvent) => {
      if (event.type === 'done') done = event;
      else if (event.type === 'picture') stored.push(handled(keep(event)));
      else this.#tell(job.id, messageOf(event));
    };
    try {
      await runJob(this.#options.maker, job, emit, signal);
    } finally {
      await Promise.allSettled(stored);
    }
    await Promise.all(stored);
    return { pictures, done: done as unknown as Done };
  }

  async #withImage({ hasImage, ...data }: JobData): Promise<Job> {
    if (!hasImage) return data;
    const image = await this.#options.redis.getBuffer(this.#names.input(data.id));
    if (image === null) throw new Error('The picture to vary has expired');
    return { ...data, image };
  }

  /** Nobody may listen any more, and Redis may be gone: neither is the job's concern. */
  #tell(id: string, message: Message): void {
    this.#options.redis.publish(this.#names.events(id), JSON.stringify(message)).catch(() => {});
  }

  /** Takes no more jobs, and waits for those at work. */
  async close(): Promise<void> {
    await this.#stopAnnouncing();
    await this.#worker.close();
    await this.#cancellations.close();
  }
}

/** A promise that is looked at later, and may fail before. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function messageOf(event: Exclude<JobEvent, { type: 'done' | 'picture' }>): Message {
  return event.type === 'partial' ? { ...event, data: event.data.toString('base64') } : event;
}
