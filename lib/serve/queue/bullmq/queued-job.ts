import { setTimeout as sleep } from 'node:timers/promises';
import type { Job as BullmqJob, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { ApiError } from '../../errors.js';
import { type ResultStore, resultName } from '../../results/store.js';
import type { Job, JobEvent } from '../job.js';
import { createJobEvents } from '../job-events.js';
import type { EventSubscriber } from './event-subscriber.js';
import {
  type JobData,
  type JobResult,
  type Message,
  priorities,
  type RedisNames,
  wantedSeconds,
} from './wire-format.js';

/** Milliseconds between checks of a job's state. */
const checkInterval = 1000;
/** Tries of a job, and milliseconds between the first two. Each further pause is twice as long. */
const attempts = 3;
const retryDelay = 1000;
/** Seconds for which a finished job is kept for its server to read. */
const keepSeconds = 600;

interface Connections {
  queue: Queue<JobData, JobResult>;
  redis: Redis;
  names: RedisNames;
  results: ResultStore;
  subscriber: EventSubscriber;
}

/**
 * A job in the queue, as the server that waits for it sees it. Published events are only hints and may
 * be lost; the state in Redis decides, and is checked every second. While Redis is unreachable, the
 * server waits. A job that Redis has lost is added again.
 */
export class QueuedJob {
  readonly #job: Job;
  readonly #signal: AbortSignal;
  readonly #connections: Connections;
  readonly #events = createJobEvents();
  readonly #seen = new Set<string>();
  /** Aborting it starts the next check at once. */
  #pause = new AbortController();
  #position = 0;

  constructor(job: Job, signal: AbortSignal, connections: Connections) {
    this.#job = job;
    this.#signal = signal;
    this.#connections = connections;
  }

  /** Adds the job to the queue. Adding it again has no effect while it is there. */
  async add(): Promise<void> {
    const { queue, redis, names } = this.#connections;
    const { image, ...data } = this.#job;
    if (image) await redis.set(names.input(data.id), Buffer.from(image), 'EX', wantedSeconds);
    await this.#renewWanted();
    const hasImage = image !== undefined;
    await queue.add(
      data.task,
      { ...data, hasImage },
      {
        jobId: data.id,
        priority: priorities[data.priority],
        attempts,
        backoff: { type: 'exponential', delay: retryDelay },
        removeOnComplete: { age: keepSeconds },
        removeOnFail: { age: keepSeconds },
      },
    );
  }

  async #renewWanted(): Promise<void> {
    const { redis, names } = this.#connections;
    const { id } = this.#job;
    await redis
      .multi()
      .set(names.wanted(id), 1, 'EX', wantedSeconds)
      .expire(names.input(id), wantedSeconds)
      .exec();
  }

  /** The job's events. Aborting the signal cancels the job. */
  async *events(): AsyncGenerator<JobEvent, void, void> {
    const { subscriber, names } = this.#connections;
    const channel = names.events(this.#job.id);
    const abort = () => {
      this.cancel();
      this.#events.end({ error: this.#signal.reason });
    };
    this.#signal.addEventListener('abort', abort, { once: true });
    if (this.#signal.aborted) abort();
    // Not awaited: Redis may be unreachable.
    subscriber.subscribe(channel, (message) => this.#receive(message)).catch(() => {});
    const checking = this.#checkUntilEnd();
    try {
      yield* this.#events;
    } finally {
      this.#signal.removeEventListener('abort', abort);
      subscriber.unsubscribe(channel);
      this.#events.end();
      this.#pause.abort();
      await checking;
    }
  }

  #receive(message: Message): void {
    if (message.type === 'ended') this.#pause.abort();
    else if (message.type === 'image') void this.#pushImage(message).catch(() => {});
    else if (message.type !== 'partial_image') this.#events.push(message);
    else if (this.#isNew(`partial image ${message.index} ${message.partialIndex}`)) {
      this.#events.push({ ...message, data: Buffer.from(message.data, 'base64') });
    }
  }

  /** A job that is retried publishes its events again. */
  #isNew(event: string): boolean {
    if (this.#seen.has(event)) return false;
    this.#seen.add(event);
    return true;
  }

  /** @returns whether the image is in the result store */
  async #pushImage({ index, seed }: { index: number; seed: number }): Promise<boolean> {
    const { id, format } = this.#job;
    const data = await this.#connections.results.get(resultName(id, index, format));
    if (data === undefined) return false;
    if (this.#isNew(`image ${index}`)) this.#events.push({ type: 'image', index, seed, data });
    return true;
  }

  async #checkUntilEnd(): Promise<void> {
    while (!this.#events.ended) {
      try {
        await this.#check();
      } catch (error) {
        // Any other error: Redis is unreachable for now.
        if (error instanceof ApiError) this.#events.end({ error });
      }
      if (this.#events.ended) return;
      this.#pause = new AbortController();
      await sleep(checkInterval, undefined, { signal: this.#pause.signal }).catch(() => {});
    }
  }

  async #check(): Promise<void> {
    const found = await this.#connections.queue.getJob(this.#job.id);
    if (found === undefined) return this.add();
    await this.#renewWanted();
    if (found.finishedOn === undefined) return this.#pushPosition();
    await this.#finish(found);
  }

  async #finish(job: BullmqJob<JobData, JobResult>): Promise<void> {
    const result = job.returnvalue as JobResult | null;
    if (result && 'error' in result) throw ApiError.fromJSON(result.error);
    if (result && 'images' in result) {
      const found = await Promise.all(result.images.map((image) => this.#pushImage(image)));
      // If the store has lost an image, the next check adds the job again.
      if (!found.every(Boolean)) return job.remove();
      this.#events.push(result.completed);
      this.#events.end();
      return;
    }
    // Cancelled although it is wanted, because Redis lost the `wanted` key: the next check adds it again.
    if (result) return job.remove();
    const message = 'The workers failed. Their logs have the reason';
    throw new ApiError(500, 'worker_failed', message, { cause: new Error(job.failedReason) });
  }

  async #pushPosition(): Promise<void> {
    if (!this.#job.progress) return;
    const { queue, redis } = this.#connections;
    const rank = await redis.zrank(queue.toKey('prioritized'), this.#job.id);
    if (rank === null || rank + 1 === this.#position) return;
    this.#position = rank + 1;
    this.#events.push({ type: 'queued', position: this.#position });
  }

  /** Removes the job from the queue, and tells the worker that runs it. Does not wait for Redis. */
  cancel(): void {
    const { queue, redis, names } = this.#connections;
    const { id } = this.#job;
    const ignoreErrors = (call: Promise<unknown>) => call.catch(() => {});
    ignoreErrors(redis.del(names.wanted(id), names.input(id)));
    ignoreErrors(redis.publish(names.cancel, id));
    ignoreErrors(queue.remove(id));
  }
}
