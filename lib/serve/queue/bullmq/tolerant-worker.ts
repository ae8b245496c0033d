import { type Processor, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobData, JobResult } from './wire-format.js';

/** Milliseconds. A killed worker is noticed once its lock has expired and been checked: within 6 s. */
const lockTimes = { lockDuration: 4000, stalledInterval: 2000 };

/** A job is abandoned after it has stalled more often than this: after it has crashed three workers. */
const maxStalls = 2;

/** Milliseconds of a break. */
const breakTime = 1000;

interface Options {
  redis: Redis;
  /** Jobs that run at once. */
  concurrency: number;
}

/** BullMQ's worker, made to cope with whatever is in Redis. */
export class TolerantWorker extends Worker<JobData, JobResult> {
  #break: NodeJS.Timeout | undefined;

  constructor(
    queue: string,
    processor: Processor<JobData, JobResult>,
    { redis, concurrency }: Options,
  ) {
    const options = { concurrency, maxStalledCount: maxStalls, ...lockTimes };
    super(queue, processor, { connection: redis, ...options });
    this.on('error', ({ name }) => {
      if (name === 'ReplyError') this.#takeBreak();
    });
  }

  /** Data that is not JSON becomes null, so that the job fails like any invalid one, instead of staying active. */
  protected override createJob(
    ...[record, id]: Parameters<Worker<JobData, JobResult>['createJob']>
  ) {
    try {
      return super.createJob(record, id);
    } catch {
      return super.createJob({ ...record, data: 'null' }, id);
    }
  }

  /**
   * Takes no jobs for a while. When Redis rejects a command, because it is full, or because a key is of
   * another type, BullMQ would try again at once and without end.
   */
  #takeBreak(): void {
    if (this.#break) return;
    void this.pause(true);
    this.#break = setTimeout(() => {
      this.#break = undefined;
      this.resume();
    }, breakTime);
  }

  override async close(force?: boolean): Promise<void> {
    clearTimeout(this.#break);
    await super.close(force);
  }
}
