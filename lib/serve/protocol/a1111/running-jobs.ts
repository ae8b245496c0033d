import { z } from 'zod';
import {
  type ImageEvent,
  imagesOf,
  type Job,
  type JobEvent,
  type StepEvent,
} from '../../queue/job.js';

const count = z.int().min(0);

export const progressSchema = z.object({
  progress: z.number().describe('The part of the newest job that is done, 0 to 1.'),
  eta_relative: z.number().describe('The expected seconds until it is done.'),
  state: z.object({
    ...{ skipped: z.boolean(), interrupted: z.boolean(), stopping_generation: z.boolean() },
    ...{ job: z.string(), job_timestamp: z.string() },
    ...{ job_count: count, job_no: count, sampling_step: count, sampling_steps: count },
  }),
  current_image: z.string().nullable().describe('A preview, as base64.'),
  textinfo: z.string().nullable(),
});

/** A job of a client of A1111, from its submission to its end. */
export class RunningJob {
  readonly #job: Job;
  readonly #interruption = new AbortController();
  readonly #start = new Date();
  readonly #images: ImageEvent[] = [];
  #step: StepEvent | undefined;
  #preview: Buffer | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  /** Aborts when the job is interrupted. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** Ends the job. The images that are complete by then are its result. */
  interrupt(): void {
    this.#interruption.abort();
  }

  /** Waits for the job to end. */
  async follow(events: AsyncIterable<JobEvent>) {
    let warnings: readonly string[] = [];
    try {
      for await (const event of events) {
        this.#observe(event);
        if (event.type === 'completed') warnings = event.warnings;
      }
    } catch (error) {
      if (!this.signal.aborted) throw error;
      warnings = ['The job was interrupted'];
    }
    return { images: this.#images.toSorted((a, b) => a.index - b.index), warnings };
  }

  #observe(event: JobEvent): void {
    if (event.type === 'image') this.#images.push(event);
    else if (event.type === 'step') this.#step = event;
    else if (event.type === 'partial_image') this.#preview = event.data;
  }

  get progress(): z.output<typeof progressSchema> {
    const { step = 0, steps = 0, fraction = 0, secondsLeft = 0 } = this.#step ?? {};
    return {
      progress: fraction,
      eta_relative: secondsLeft,
      state: {
        ...idle.state,
        job: this.#job.call.method,
        job_timestamp: timestamp(this.#start),
        ...{ job_count: imagesOf(this.#job.call), job_no: this.#images.length },
        ...{ sampling_step: step, sampling_steps: steps },
      },
      current_image: this.#preview?.toString('base64') ?? null,
      textinfo: null,
    };
  }
}

/** The progress without a job. */
const idle: z.output<typeof progressSchema> = {
  progress: 0,
  eta_relative: 0,
  state: {
    ...{ skipped: false, interrupted: false, stopping_generation: false },
    ...{ job: '', job_timestamp: '0', job_count: 0, job_no: 0 },
    ...{ sampling_step: 0, sampling_steps: 0 },
  },
  current_image: null,
  textinfo: null,
};

/** For example 20260131235959. */
function timestamp(time: Date): string {
  return time.toISOString().slice(0, 19).replace(/\D/g, '');
}

/** The jobs of all clients of A1111. A client sees only its own: they have previews. */
export class RunningJobs {
  readonly #jobs = new Map<RunningJob, string>();

  /** Runs a job of a client. */
  async run<T>(client: string, job: Job, work: (running: RunningJob) => Promise<T>): Promise<T> {
    const running = new RunningJob(job);
    this.#jobs.set(running, client);
    try {
      return await work(running);
    } finally {
      this.#jobs.delete(running);
    }
  }

  /** The progress of the client's newest job. */
  progressOf(client: string): z.output<typeof progressSchema> {
    return this.#newest(client)?.progress ?? idle;
  }

  /** Ends the client's newest job. */
  interrupt(client: string): void {
    this.#newest(client)?.interrupt();
  }

  #newest(client: string): RunningJob | undefined {
    return [...this.#jobs].findLast(([, owner]) => owner === client)?.[0];
  }
}
