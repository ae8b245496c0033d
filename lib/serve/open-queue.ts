import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { importWith, serverPackages } from '../util/optional-packages.js';
import type { Backend } from './queue/backend.js';
import { redisNames } from './queue/bullmq/redis-names.js';
import { FolderResults } from './results/folder.js';
import { RedisResults } from './results/redis.js';
import type { ResultStore } from './results/store.js';

export interface ResultsOptions {
  /** A folder, or `s3://BUCKET/PREFIX`. By default Redis if there is a queue, and memory otherwise. */
  location?: string | undefined;
  /** Seconds for which images are kept. */
  seconds: number;
}

export interface QueueAddress {
  /** The URL of a Redis server. */
  url: string;
  /** The queue's name. */
  name: string;
}

export interface QueueOptions {
  queue: QueueAddress;
  results: ResultsOptions;
  /** Jobs that may wait. */
  capacity: number;
  log: Logger;
}

export interface OpenQueue {
  backend: Backend;
  results: ResultStore;
  close: () => Promise<void>;
}

/**
 * Connects to a queue, to submit jobs.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if Redis cannot be reached,
 *   ERR_KARLO_PACKAGE_MISSING if the optional packages are missing
 */
export async function openQueue({
  queue,
  capacity,
  log,
  ...options
}: QueueOptions): Promise<OpenQueue> {
  const { connect } = await import('./queue/bullmq/connection.js');
  const redis = await connect(queue.url, { waitForRedis: false });
  const { BullmqBackend } = await import('./queue/bullmq/backend.js');
  const results = await openQueueResults(redis, queue, options.results);
  const backend = await BullmqBackend.open({ queue: queue.name, redis, results, capacity, log });
  const close = async () => {
    await backend.close();
    await results.close();
    redis.disconnect();
  };
  return { backend, results, close };
}

/** Where workers of a queue store images: by default in its Redis. */
export function openQueueResults(
  redis: Redis,
  queue: QueueAddress,
  options: ResultsOptions,
): Promise<ResultStore> {
  const names = redisNames(queue.name);
  return openResults(options, () => new RedisResults(redis, names.result, options.seconds));
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if credentials for S3 are missing */
export async function openResults(
  { location, seconds }: ResultsOptions,
  openDefault: () => ResultStore,
): Promise<ResultStore> {
  if (location === undefined) return openDefault();
  if (!location.startsWith('s3://')) return new FolderResults(location, seconds);
  const { S3Results } = await importWith(serverPackages, () => import('./results/s3.js'));
  return new S3Results({ location, seconds, environment: process.env });
}
