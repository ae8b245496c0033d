import type { Karlo } from '../../karlo.js';
import { Gate } from './admission-queue.js';
import { EventQueue } from './event-queue.js';
import type { Backend, Job, JobEvent, ModelCard } from './job.js';
import { type Maker, runJob } from './run-job.js';

/** Jobs that are done in this process. */
export class LocalBackend implements Backend {
  readonly #maker: Maker;
  readonly #card: ModelCard;
  readonly #gate: Gate;

  /**
   * @param limits.concurrency jobs that are at work at once
   * @param limits.capacity jobs that may wait
   */
  constructor(maker: Maker, name: string, limits: { concurrency: number; capacity: number }) {
    this.#maker = maker;
    this.#card = cardOf(maker.karlo, name);
    this.#gate = new Gate(limits);
  }

  async model(): Promise<ModelCard> {
    return this.#card;
  }

  async load() {
    return this.#gate.load;
  }

  async admit(): Promise<void> {
    this.#gate.check();
  }

  async submit(job: Job, signal: AbortSignal): Promise<AsyncIterable<JobEvent>> {
    signal.throwIfAborted();
    const events = new EventQueue();
    const turn = this.#gate.enter({ low: job.priority === 'low', signal }, (position) =>
      events.push({ type: 'queued', position }),
    );
    this.#run(turn, job, events, signal).then(
      () => events.end(),
      (error) => events.end({ error }),
    );
    return events;
  }

  async #run(turn: Promise<() => void>, job: Job, events: EventQueue, signal: AbortSignal) {
    const leave = await turn;
    try {
      await runJob(this.#maker, job, (event) => events.push(event), signal);
    } finally {
      leave();
    }
  }

  close(): Promise<void> {
    return this.#maker.karlo.dispose();
  }
}

export function cardOf(karlo: Karlo, name: string): ModelCard {
  return { id: name, size: karlo.size, ...karlo.tasks };
}
