import { setTimeout as sleep } from 'node:timers/promises';
import type { Job as BullmqJob, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { candidateSeeds, seedOfImage } from '../../../options/seeds.js';
import { ApiError, storageFull } from '../../errors.js';
import { isFullError } from '../../redis-memory.js';
import { animationName, type ResultStore, resultName } from '../../results/store.js';
import {
  animationOf,
  type ImageEvent,
  imagesOf,
  type Job,
  type JobCall,
  type JobEvent,
} from '../job.js';
import { createJobEvents } from '../job-events.js';
import type { EventSubscriber } from './event-subscriber.js';
import { type InvalidMessages, readStored } from './invalid-messages.js';
import type { RedisNames } from './redis-names.js';
import {
  checkVersion,
  eventMessage,
  InvalidMessage,
  type JobData,
  type JobResult,
  jobMessage,
  parseJson,
  resultMessage,
} from './wire-format.js';

/** Milliseconds between checks of a job's state. */
const checkInterval = 1000;
/** Tries of a job, and milliseconds between the first two. Each further pause is twice as long. */
const attempts = 3;
const retryDelay = 1000;
/** Seconds for which a finished job is kept for its server to read. */
const keepSeconds = 600;
/** Seconds after which a job is dropped if its server does not renew its `wanted` key. */
const wantedSeconds = 60;
/** Priorities in BullMQ, where lower numbers come first. */
const priorities = { normal: 1, low: 2 };

/** What is known about an image besides its file: the seed is that of the chosen candidate. */
type ImageSeed = Pick<ImageEvent, 'index' | 'seed' | 'unsafe'>;

interface Connections {
  queue: Queue<JobData, JobResult>;
  redis: Redis;
  names: RedisNames;
  results: ResultStore;
  subscriber: EventSubscriber;
  invalidMessages: InvalidMessages;
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
    const { id, files, ...job } = this.#job;
    for (const [i, file] of files.entries()) {
      await redis.set(names.input(id, i), Buffer.from(file), 'EX', wantedSeconds);
    }
    await this.#renewWanted();
    const message = jobMessage.write({ ...job, files: files.length } as never);
    await queue.add(job.call.method, message, {
      jobId: id,
      priority: priorities[job.priority],
      attempts,
      backoff: { type: 'exponential', delay: retryDelay },
      removeOnComplete: { age: keepSeconds },
      removeOnFail: { age: keepSeconds },
    });
  }

  /** Sets the key again, instead of only its expiry, so that a full Redis is noticed: it rejects that. */
  async #renewWanted(): Promise<void> {
    const { redis, names } = this.#connections;
    const { id } = this.#job;
    await redis.set(names.wanted(id), 1, 'EX', wantedSeconds);
    for (const input of this.#inputs()) await redis.expire(input, wantedSeconds);
  }

  /** The keys of the image files. */
  #inputs(): string[] {
    const { id, files } = this.#job;
    return files.map((_, i) => this.#connections.names.input(id, i));
  }

  /** The job's events. Aborting the signal cancels the job. */
  async *events(): AsyncGenerator<JobEvent, void, void> {
    const { subscriber, names } = this.#connections;
    const channel = names.events(this.#job.id);
    const abort = () => this.#abandon(this.#signal.reason);
    this.#signal.addEventListener('abort', abort, { once: true });
    if (this.#signal.aborted) abort();
    // Not awaited: Redis may be unreachable.
    subscriber.subscribe(channel, (text) => this.#receive(text)).catch(() => {});
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

  #receive(text: string): void {
    const event = this.#connections.invalidMessages.read(() => this.#parseEvent(text));
    if (event === undefined) return;
    if (event.type === 'ended') this.#pause.abort();
    else if (event.type === 'image') void this.#pushImage(event).catch(() => {});
    else if (event.type === 'animation') void this.#pushAnimation().catch(() => {});
    else if (event.type === 'step') this.#events.push(event as JobEvent);
    else if (this.#isNew(`partial image ${event.index} ${event.partialIndex}`)) {
      this.#events.push(event);
    }
  }

  #parseEvent(text: string) {
    const event = eventMessage.read(parseJson(text));
    const { call, partialImages } = this.#job;
    const index = 'index' in event ? (event.index ?? 0) : 0;
    const partialIndex = 'partialIndex' in event ? event.partialIndex : -1;
    if (event.type === 'image') this.#checkSeed(event);
    if (index < imagesOf(call) && partialIndex < partialImages) return event;
    throw new InvalidMessage('Invalid event: its image was not requested');
  }

  /** @throws {InvalidMessage} if no candidate of the image has this seed */
  #checkSeed({ index, seed }: ImageSeed): void {
    const { call } = this.#job;
    const { candidates = 1, prior } = call.options;
    const all = candidates * (prior?.candidates ?? 1);
    if (candidateSeeds(firstSeed(call, index), all).includes(seed)) return;
    throw new InvalidMessage('Invalid seed: no candidate of the image has it');
  }

  /** A job that is retried publishes its events again. */
  #isNew(event: string): boolean {
    if (this.#seen.has(event)) return false;
    this.#seen.add(event);
    return true;
  }

  /** @returns whether the image is in the result store */
  async #pushImage({ index, seed, unsafe }: ImageSeed): Promise<boolean> {
    const { id, format } = this.#job;
    const data = await this.#connections.results.get(resultName(id, index, format));
    if (data === undefined) return false;
    if (this.#isNew(`image ${index}`))
      this.#events.push({ type: 'image', index, seed, unsafe, data });
    return true;
  }

  /** @returns whether the animation is in the result store, or was not requested */
  async #pushAnimation(): Promise<boolean> {
    const { id, call } = this.#job;
    const animation = animationOf(call);
    if (animation === undefined) return true;
    const data = await this.#connections.results.get(animationName(id, animation.format));
    if (data === undefined) return false;
    if (this.#isNew('animation')) this.#events.push({ type: 'animation', data });
    return true;
  }

  async #checkUntilEnd(): Promise<void> {
    while (!this.#events.ended) {
      await this.#check().catch((error) => this.#endIfFinal(error));
      if (this.#events.ended) return;
      this.#pause = new AbortController();
      await sleep(checkInterval, undefined, { signal: this.#pause.signal }).catch(() => {});
    }
  }

  /** Any other error: Redis is unreachable for now. */
  #endIfFinal(error: unknown): void {
    if (error instanceof ApiError) this.#events.end({ error });
    else if (isFullError(error)) this.#abandon(storageFull(error));
    else if (error instanceof InvalidMessage) {
      this.#connections.invalidMessages.drop(error);
      this.#abandon(workerFailed(error));
    }
  }

  async #check(): Promise<void> {
    const { queue } = this.#connections;
    const found = await readStored(() => queue.getJob(this.#job.id));
    if (found === undefined) return this.add();
    await this.#renewWanted();
    if (found.finishedOn === undefined) return this.#pushPosition();
    await this.#finish(found);
  }

  async #finish(job: BullmqJob<JobData, JobResult>): Promise<void> {
    // A retry that succeeds keeps the reason of the failure.
    if (!job.returnvalue && job.failedReason) throw workerFailed(new Error(job.failedReason));
    checkVersion(job.returnvalue);
    const result = resultMessage.read(job.returnvalue);
    if (result.status === 'failed') throw ApiError.fromJSON(result.error);
    // Cancelled although it is wanted, because Redis lost the `wanted` key: the next check adds it again.
    if (result.status === 'cancelled') return job.remove();
    const { status: _, seeds, unsafe, ...completed } = result;
    if (seeds.length !== imagesOf(this.#job.call)) {
      throw new InvalidMessage('Invalid result: expected the seed of each image');
    }
    const images = seeds.map((seed, index) => ({ index, seed, unsafe: unsafe?.[index] }));
    for (const image of images) this.#checkSeed(image);
    const found = await Promise.all(images.map((image) => this.#pushImage(image)));
    // If the store has lost a file, the next check adds the job again.
    if (!found.every(Boolean) || !(await this.#pushAnimation())) return job.remove();
    this.#events.push({ type: 'completed', ...completed });
    this.#events.end();
  }

  async #pushPosition(): Promise<void> {
    if (!this.#job.progress) return;
    const { queue, redis } = this.#connections;
    const rank = await redis.zrank(queue.toKey('prioritized'), this.#job.id);
    if (rank === null || rank + 1 === this.#position) return;
    this.#position = rank + 1;
    this.#events.push({ type: 'queued', position: this.#position });
  }

  #abandon(error: unknown): void {
    this.cancel();
    this.#events.end({ error });
  }

  /** Removes the job from the queue, and tells the worker that runs it. Does not wait for Redis. */
  cancel(): void {
    const { queue, redis, names } = this.#connections;
    const { id } = this.#job;
    const ignoreErrors = (call: Promise<unknown>) => call.catch(() => {});
    ignoreErrors(redis.del(names.wanted(id), ...this.#inputs()));
    ignoreErrors(redis.publish(names.cancel, id));
    ignoreErrors(queue.remove(id));
  }
}

/** The seed of an image, or of its first candidate. */
function firstSeed(call: JobCall, index: number): number {
  const { seed } = call.options;
  if (call.method === 'finish') return call.seeds[index] ?? seed;
  // All frames of an interpolation have the same seed.
  return call.method === 'interpolate' ? seed : seedOfImage(seed, index);
}

function workerFailed(cause: Error): ApiError {
  const message = 'The workers failed. Their logs have the reason';
  return new ApiError(500, 'worker_failed', message, { cause });
}
