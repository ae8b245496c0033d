import type { Done, Job, JobEvent } from './job.js';

/** Names of one queue's keys and channels in Redis. */
export function namesOf(queue: string) {
  const key = (...parts: string[]) => ['karlo', queue, ...parts].join(':');
  return {
    /** The card of the model that the workers serve; it goes when they do. */
    model: key('model'),
    /** The bytes of a picture to vary. */
    input: (id: string) => key('input', id),
    /** There while somebody waits for the job. */
    wanted: (id: string) => key('wanted', id),
    result: (name: string) => key('result', name),
    /** Channel of a job's events. */
    events: (id: string) => key('events', id),
    /** Channel of the ids of jobs that nobody wants any more. */
    cancel: key('cancel'),
  };
}

export type Names = ReturnType<typeof namesOf>;

/** Seconds after which a job is left alone when its server says nothing. */
export const wantedSeconds = 60;

/** Seconds after which a model is gone when no worker says that it serves it. */
export const modelSeconds = 15;

/** Milliseconds. A worker that was killed is noticed after a lock's time and one check: within 6 s. */
export const lockTimes = { lockDuration: 4000, stalledInterval: 2000 };

/** A job that killed this many workers is given up. */
export const mostStalls = 2;

/** A job in the queue: its picture, if any, stands beside it. */
export type JobData = Omit<Job, 'image'> & { readonly hasImage: boolean };

/** What a finished job leaves. Its pictures stand in the store. */
export type JobResult =
  | { readonly pictures: readonly { index: number; seed: number }[]; readonly done: Done }
  | { readonly error: { status: number; code: string; message: string; param: string | null } }
  | { readonly cancelled: true };

/** An event between processes. Pictures come without bytes, and `ended` says to look at the result. */
export type Message =
  | Exclude<JobEvent, { type: 'picture' | 'partial' | 'done' }>
  | { readonly type: 'picture'; readonly index: number; readonly seed: number }
  | {
      readonly type: 'partial';
      readonly index: number;
      readonly partial: number;
      /** Base64. */
      readonly data: string;
    }
  | { readonly type: 'ended' };

/** Higher numbers wait for lower ones. */
export const priorities = { normal: 1, low: 2 };
