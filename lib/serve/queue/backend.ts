import type { Job, JobEvent } from './job.js';

/** The model that generates the images, as clients see it. */
export interface ServedModel {
  readonly id: string;
  /** Width and height of its images, in pixels. */
  readonly size: number;
  readonly textToImage: boolean;
  readonly imageVariation: boolean;
}

/** Runs jobs: in this process, or in workers behind a queue. */
export interface Backend {
  /** The served model; undefined while no worker serves one. */
  model(): Promise<ServedModel | undefined>;
  /**
   * Checks that the queue has room, before the request's body is read.
   * @throws {ApiError} as `submit`
   */
  admit(): Promise<void>;
  /**
   * Accepts a job. Its events end with `completed`, or throw. Aborting the signal stops the job within
   * one step, and its events throw the signal's reason.
   * @throws {ApiError} 429 if the queue is full, 503 if it cannot be reached
   */
  submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>>;
  /** The numbers of jobs that are waiting and running. */
  load(): Promise<{ waiting: number; running: number }>;
}
