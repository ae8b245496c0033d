import { trimMemory } from '../../torch/device.js';
import { AdmissionQueue, type QueueLimits } from './admission-queue.js';
import type { Backend, ServedModel } from './backend.js';
import type { Job, JobEvent } from './job.js';
import { createJobEvents, type JobEvents } from './job-events.js';
import type { JobRunner } from './job-runner.js';

/** Runs jobs in this process. */
export class LocalBackend implements Backend {
  readonly #runner: JobRunner;
  readonly #queue: AdmissionQueue;
  /** There are no messages within a process. */
  readonly invalidMessages = 0;

  constructor(runner: JobRunner, limits: QueueLimits) {
    this.#runner = runner;
    this.#queue = new AdmissionQueue(limits);
  }

  async model(): Promise<ServedModel> {
    return this.#runner.model;
  }

  async load() {
    return this.#queue.load;
  }

  async checkStorage(): Promise<void> {}

  async admit(arriving: number): Promise<void> {
    this.#queue.check(arriving);
  }

  trimMemory(): void {
    trimMemory();
  }

  async submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>> {
    signal.throwIfAborted();
    const events = createJobEvents();
    const lowPriority = job.priority === 'low';
    const turn = this.#queue.enter({ lowPriority, signal }, (position) =>
      events.push({ type: 'queued', position }),
    );
    this.#run(turn, job, events, signal).then(
      () => events.end(),
      (error) => events.end({ error }),
    );
    return events;
  }

  async #run(turn: Promise<() => void>, job: Job, events: JobEvents, signal: AbortSignal) {
    const leave = await turn;
    try {
      await this.#runner.run(job, (event) => events.push(event), signal);
    } finally {
      leave();
    }
  }
}
