import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LogOutput } from './log-output.js';
import type { Backend } from './queue/backend.js';
import { type Job, type JobEvent, methodLabels } from './queue/job.js';

/** Metrics for Prometheus: queue, stages, images, failures, requests, and prom-client's of the process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #stages = new Histogram({
    name: 'karlo_stage_seconds',
    help: 'Seconds in each stage of a request',
    labelNames: ['kind', 'stage'] as const,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers: [this.#registry],
  });
  readonly #images = new Counter({
    name: 'karlo_pictures_total',
    help: 'Images generated',
    labelNames: ['kind'] as const,
    registers: [this.#registry],
  });
  readonly #verdicts = new Counter({
    name: 'karlo_safety_verdicts_total',
    help: 'Images that the safety check found safe or unsafe',
    labelNames: ['kind', 'verdict'] as const,
    registers: [this.#registry],
  });
  readonly #failures = new Counter({
    name: 'karlo_failures_total',
    help: 'Requests that ended in an error, by error code',
    labelNames: ['code'] as const,
    registers: [this.#registry],
  });
  readonly #requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Seconds from a request to the end of its response',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.05, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers: [this.#registry],
  });

  constructor(backend: Backend, log: LogOutput) {
    collectDefaultMetrics({ register: this.#registry });
    this.#addLoadGauge('karlo_queue_length', 'Requests that are waiting', async () => {
      return (await backend.load()).waiting;
    });
    this.#addLoadGauge('karlo_running', 'Requests that are running', async () => {
      return (await backend.load()).running;
    });
    this.#addCounter(
      'karlo_log_lines_dropped_total',
      'Lines of the log that could not be written',
      () => log.dropped,
    );
    this.#addCounter(
      'karlo_queue_messages_invalid_total',
      'Messages from the queue that were dropped because they are invalid',
      () => backend.invalidMessages,
    );
  }

  /** A counter whose value is counted elsewhere. */
  #addCounter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #addLoadGauge(name: string, help: string, read: () => Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read().catch(() => Number.NaN));
      },
    });
  }

  observeJob({ call }: Job, event: JobEvent): void {
    const kind = methodLabels[call.method];
    if (event.type === 'image') {
      this.#images.inc({ kind });
      const { unsafe } = event;
      if (unsafe !== undefined) this.#verdicts.inc({ kind, verdict: unsafe ? 'unsafe' : 'safe' });
    }
    if (event.type !== 'completed') return;
    for (const [stage, seconds] of Object.entries(event.timings)) {
      if (stage !== 'total') this.#stages.observe({ kind, stage }, seconds);
    }
  }

  observeResponse(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  countFailure(code: string): void {
    this.#failures.inc({ code });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
