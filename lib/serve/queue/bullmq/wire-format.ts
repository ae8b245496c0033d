import type { ApiErrorJson } from '../../errors.js';
import type { CompletedEvent, Job, JobEvent } from '../job.js';

/** The names of a queue's keys and channels in Redis, other than those of BullMQ. */
export function redisNames(queue: string) {
  const name = (...parts: string[]) => ['karlo', queue, ...parts].join(':');
  return {
    /** The model that the workers serve. The key expires when no worker renews it. */
    model: name('model'),
    /** The image file to vary. */
    input: (id: string) => name('input', id),
    /** Exists while a server waits for the job. */
    wanted: (id: string) => name('wanted', id),
    /** An image file of a finished job. */
    result: (file: string) => name('result', file),
    /** Channel of a job's events. */
    events: (id: string) => name('events', id),
    /** Channel of the ids of cancelled jobs. */
    cancel: name('cancel'),
  };
}

export type RedisNames = ReturnType<typeof redisNames>;

/** Seconds after which a job is dropped if its server does not renew its `wanted` key. */
export const wantedSeconds = 60;

/** Seconds after which the served model is forgotten if no worker renews its key. */
export const modelSeconds = 15;

/** Milliseconds. A killed worker is noticed once its lock has expired and been checked: within 6 s. */
export const lockTimes = { lockDuration: 4000, stalledInterval: 2000 };

/** A job is abandoned after it has stalled more often than this: after it has crashed three workers. */
export const maxStalls = 2;

/** Priorities in BullMQ, where lower numbers come first. */
export const priorities = { normal: 1, low: 2 };

/** A job in the queue. Its input image, if any, is stored under a separate key. */
export type JobData = Omit<Job, 'image'> & { readonly hasImage: boolean };

/** The return value of a finished job. Its images are in the result store. */
export type JobResult =
  | {
      readonly images: readonly { index: number; seed: number }[];
      readonly completed: CompletedEvent;
    }
  | { readonly error: ApiErrorJson }
  | { readonly cancelled: true };

/** What a worker publishes about a job. Images come without their data; `ended` says that the result is there. */
export type Message =
  | Exclude<JobEvent, { type: 'image' | 'partial_image' | 'completed' }>
  | { readonly type: 'image'; readonly index: number; readonly seed: number }
  | {
      readonly type: 'partial_image';
      readonly index: number;
      readonly partialIndex: number;
      /** Base64. */
      readonly data: string;
    }
  | { readonly type: 'ended' };
