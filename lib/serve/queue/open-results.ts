import type { Redis } from 'ioredis';
import { FolderResults } from '../folder-results.js';
import type { ResultStore } from '../results.js';
import { RedisResults } from './redis-results.js';
import { namesOf } from './wire.js';

/** Where servers and workers of a queue hand pictures over. */
export interface ResultsOptions {
  queue: string;
  /** A folder that all of them share; else Redis. */
  folder?: string | undefined;
  /** Seconds for which pictures are kept. */
  seconds: number;
}

export function openResults(redis: Redis, options: ResultsOptions): ResultStore {
  const { queue, folder, seconds } = options;
  if (folder !== undefined) return new FolderResults(folder, seconds);
  return new RedisResults(redis, namesOf(queue), seconds);
}
