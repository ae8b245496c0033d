import { setTimeout as sleep } from 'node:timers/promises';
import type { Job as BullJob, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ApiError } from '../protocol/api-error.js';
import { type ResultStore, resultName } from '../results/results.js';
import { EventQueue } from './event-queue.js';
import type { Job, JobEvent } from './job.js';
import type { Subscriptions } from './subscriptions.js';
import {
  type JobData,
  type JobResult,
  type Message,
  type Names,
  priorities,
  wantedSeconds,
} from './wire.js';

/** Milliseconds between looks at a job. What workers say in between comes at once. */
const lookEvery = 1000;
/** Tries of a job, and milliseconds between the first and the second; the third waits twice as long. */
const attempts = 3;
const firstPause = 1000;
/** Seconds for which a finished job is kept for its server to see. */
const keptSeconds = 600;

interface Surroundings {
  queue: Queue<JobData, JobResult>;
  redis: Redis;
  names: Names;
  results: ResultStore;
  subscriptions: Subscriptions;
}

/**
 * A job in the queue, and the caller who waits for it. What workers say is a hint; the truth is what
 * stands in Redis, looked at every second. While Redis is gone, the caller waits; a job that went with
 * it is put in again.
 */
export class WaitingJob {
  readonly #job: Job;
  readonly #signal: AbortSignal;
  readonly #around: Surroundings;
  readonly #events = new EventQueue();
  readonly #told = new Set<string>();
  #look = new AbortController();
  #position = 0;

  constructor(job: Job, signal: AbortSignal, around: Surroundings) {
    this.#job = job;
    this.#signal = signal;
    this.#around = around;
  }

  /** Puts it into the queue. Done twice, it stands there once. */
  async add(): Promise<void> {
    const { queue, redis, names } = this.#around;
    const { image, ...data } = this.#job;
    if (image) await redis.set(names.input(data.id), Buffer.from(image), 'EX', wantedSeconds);
    await this.#want();
    const hasImage = image !== undefined;
    await queue.add(
      data.kind,
      { ...data, hasImage },
      {
        jobId: data.id,
        priority: priorities[data.priority],
        attempts,
        backoff: { type: 'exponential', delay: firstPause },
        removeOnComplete: { age: keptSeconds },
        removeOnFail: { age: keptSeconds },
      },
    );
  }

  /** Says that somebody waits, for a while. */
  async #want(): Promise<void> {
    const { redis, names } = this.#around;
    const { id } = this.#job;
    await redis
      .multi()
      .set(names.wanted(id), 1, 'EX', wantedSeconds)
      .expire(names.input(id), wantedSeconds)
      .exec();
  }

  /** Its events, to the end. An abort takes it out of the queue. */
  async *events(): AsyncGenerator<JobEvent, void, void> {
    const { subscriptions, names } = this.#around;
    const channel = names.events(this.#job.id);
    const abort = () => {
      this.cancel();
      this.#events.end({ error: this.#signal.reason });
    };
    this.#signal.addEventListener('abort', abort, { once: true });
    if (this.#signal.aborted) abort();
    // Without waiting: Redis may be gone.
    subscriptions.add(channel, (message) => this.#hear(message)).catch(() => {});
    const watched = this.#watch();
    try {
      yield* this.#events;
    } finally {
      this.#signal.removeEventListener('abort', abort);
      subscriptions.remove(channel);
      this.#events.end();
      this.#look.abort();
      await watched;
    }
  }

  #hear(message: Message): void {
    if (message.type === 'ended') this.#look.abort();
    else if (message.type === 'picture') void this.#picture(message).catch(() => {});
    else if (message.type !== 'partial') this.#events.push(message);
    else if (this.#isNew(`partial ${message.index} ${message.partial}`)) {
      this.#events.push({ ...message, data: Buffer.from(message.data, 'base64') });
    }
  }

  /** A job that was done twice tells twice. */
  #isNew(what: string): boolean {
    if (this.#told.has(what)) return false;
    this.#told.add(what);
    return true;
  }

  /** Hands a picture on. Returns whether it is there. */
  async #picture({ index, seed }: { index: number; seed: number }): Promise<boolean> {
    const { id, format } = this.#job;
    const data = await this.#around.results.get(resultName(id, index, format));
    if (data === undefined) return false;
    if (this.#isNew(`picture ${index}`)) this.#events.push({ type: 'picture', index, seed, data });
    return true;
  }

  /** Looks at the job until it has ended or nobody waits. */
  async #watch(): Promise<void> {
    while (!this.#events.ended) {
      try {
        await this.#lookOnce();
      } catch (error) {
        if (error instanceof ApiError) this.#events.end({ error });
        // Else Redis is gone for now.
      }
      if (this.#events.ended) return;
      this.#look = new AbortController();
      await sleep(lookEvery, undefined, { signal: this.#look.signal }).catch(() => {});
    }
  }

  async #lookOnce(): Promise<void> {
    const { queue } = this.#around;
    const found = await queue.getJob(this.#job.id);
    if (found === undefined) return this.add();
    await this.#want();
    if (found.finishedOn === undefined) return this.#tellPosition();
    await this.#conclude(found);
  }

  async #conclude(job: BullJob<JobData, JobResult>): Promise<void> {
    const result = job.returnvalue as JobResult | null;
    if (result && 'error' in result) {
      const { status, code, message, param } = result.error;
      throw new ApiError(status, code, message, { param: param ?? undefined });
    }
    if (result && 'pictures' in result) {
      const found = await Promise.all(result.pictures.map((picture) => this.#picture(picture)));
      if (!found.every(Boolean)) return job.remove(); // Lost from the store: to be done again.
      this.#events.push(result.done);
      this.#events.end();
      return;
    }
    // Cancelled, though somebody waits: its sign was lost with Redis. To be done again.
    if (result) return job.remove();
    const message = 'The workers failed: their logs have the reason';
    throw new ApiError(500, 'worker_failed', message, { cause: new Error(job.failedReason) });
  }

  async #tellPosition(): Promise<void> {
    if (!this.#job.steps) return;
    const { queue, redis } = this.#around;
    const rank = await redis.zrank(queue.toKey('prioritized'), this.#job.id);
    if (rank === null || rank + 1 === this.#position) return;
    this.#position = rank + 1;
    this.#events.push({ type: 'queued', position: this.#position });
  }

  /** Takes it out of the queue, or tells who is at work on it. */
  cancel(): void {
    const { queue, redis, names } = this.#around;
    const { id } = this.#job;
    const quietly = (call: Promise<unknown>) => call.catch(() => {});
    quietly(redis.del(names.wanted(id), names.input(id)));
    quietly(redis.publish(names.cancel, id));
    quietly(queue.remove(id));
  }
}
