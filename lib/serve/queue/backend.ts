import type { UnsafeAction } from '../../options/descriptions.js';
import type { Job, JobEvent } from './job.js';

/** The model that generates the images, as clients see it. */
export interface ServedModel {
  readonly id: string;
  /** Width and height of its images, in pixels. */
  readonly size: number;
  readonly textToImage: boolean;
  readonly imageVariation: boolean;
  /** What happens to images that the safety check finds unsafe; absent without a check. */
  readonly onUnsafe?: UnsafeAction | undefined;
}

/** Runs jobs: in this process, or in workers behind a queue. */
export interface Backend {
  /**
   * The served model; undefined while no worker serves one.
   * @throws {ApiError} 503 if the workers are of another version
   */
  model(): Promise<ServedModel | undefined>;
  /**
   * Checks that there is room for the images of a request.
   * @throws {ApiError} 503 if there is not
   */
  checkStorage(): Promise<void>;
  /**
   * Checks that there is room for a request and its images, before the request's body is read.
   * @param arriving other requests that have been admitted, but whose jobs have not been submitted yet
   * @throws {ApiError} as `submit`
   */
  admit(arriving: number): Promise<void>;
  /**
   * Accepts a job. Its events end with `completed`, or throw. Aborting the signal stops the job within
   * one step, and its events throw the signal's reason.
   * @throws {ApiError} 429 if the queue is full, 503 if it cannot be reached, or has no room for the images
   */
  submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>>;
  /** The numbers of jobs that are waiting and running. */
  load(): Promise<{ waiting: number; running: number }>;
  /** Returns free memory to the system, if the backend can. */
  trimMemory?(): void;
  /** Counts the messages of workers that were dropped, because they are invalid. */
  readonly invalidMessages: number;
}
